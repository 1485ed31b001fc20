package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/cmd/cli"
)

func TestACheckShowsWarningsAndTheResponse(t *testing.T) {
	t.Parallel()
	c := &canned{responses: map[string][]string{
		"GET /admin/v1/credentials":          {`{"items":[{"id":7}]}`, `{"items":[]}`},
		"GET /admin/v1/sgtm-configs":         {`{"items":[{"id":3}]}`},
		"POST /admin/v1/credentials/7/check": {`{"storefront":"bosley","destination":"meta_capi","ok":true,"message":"the settings are complete","warnings":["odd"]}`},
		"POST /admin/v1/sgtm-configs/3/check": {`{"storefront":"bosley","destination":"sgtm","ok":false,"message":"the container did not accept the test event","warnings":[],
			"sent":{"request":{"method":"POST","url":"https://gtm.example.com/mp/collect"},"status":400,"outcome":"rejected","reason":"unclaimed_path","fields":{"code":"7"},"warnings":["no preview"],"took_ms":5}}`},
	}}
	out, err := c.run(t, "", "check", "bosley", "meta_capi")
	require.NoError(t, err)
	require.Contains(t, out, "bosley at meta_capi: the settings are complete\nwarning: odd\n")
	require.Equal(t, "anna GET /admin/v1/credentials?platform_code=meta_capi&storefront_code=bosley", c.asked[0])
	require.Equal(t, "anna POST /admin/v1/credentials/7/check", c.asked[1])

	out, err = c.run(t, "", "check", "bosley", "sgtm", "--preview-header", "ZW52")
	require.ErrorContains(t, err, "the check failed")
	require.Equal(t, "anna POST /admin/v1/sgtm-configs/3/check?send=test", c.asked[3])
	require.Equal(t, "ZW52", c.preview)
	for _, line := range []string{"unclaimed_path", "400", "code", "warning: no preview"} {
		require.Contains(t, out, line)
	}
	require.NotContains(t, out, "trace id", "there is none")

	_, err = c.run(t, "", "check", "bosley", "sgtm", "--send-test", "--note", "ticket 7")
	require.ErrorContains(t, err, "the check failed")
	require.Equal(t, "ticket 7", c.note)
	c.asked = nil
	for _, args := range [][]string{{"check", "bosley", "sgtm"}, {"check", "bosley"}} {
		_, err = c.run(t, "", append(args, "--note", "ticket 7")...)
		require.ErrorContains(t, err, "--note: only a test event is in the audit")
		require.Equal(t, cli.ExitUsage, cli.ExitCode(err))
	}
	require.Empty(t, c.asked, "nothing was sent")

	_, err = c.run(t, "", "check", "bosley", "tiktok")
	require.ErrorContains(t, err, "storefront bosley has no destination tiktok")
}
