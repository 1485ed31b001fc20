package sgtm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/canonical"
	"relay/adapters/sgtm"
	"relay/internal/relay"
)

// container is one that works, changed.
func container(change func(settings map[string]string, secrets map[string]relay.Secret)) relay.Destination {
	d := relay.Destination{
		Key: relay.SGTM,
		Settings: map[string]string{
			sgtm.SettingURL: "https://tags.example.com", sgtm.SettingClientType: sgtm.ClientGA4, sgtm.SettingMeasurementID: "G-ABC123",
		},
		Secrets: map[string]relay.Secret{sgtm.SecretAPI: relay.NewSecret("s3cret")},
	}
	change(d.Settings, d.Secrets)
	return d
}

func set(key, value string) func(map[string]string, map[string]relay.Secret) {
	return func(settings map[string]string, _ map[string]relay.Secret) { settings[key] = value }
}

func custom(key, value string) func(map[string]string, map[string]relay.Secret) {
	return func(settings map[string]string, _ map[string]relay.Secret) {
		settings[sgtm.SettingClientType] = sgtm.ClientCustom
		settings[key] = value
	}
}

func header(name, value string) func(map[string]string, map[string]relay.Secret) {
	return func(_ map[string]string, secrets map[string]relay.Secret) {
		secrets[canonical.SecretHeaderPrefix+name] = relay.NewSecret(value)
	}
}

func TestCheckAcceptsValidSettings(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]string, map[string]relay.Secret){
		"the brief's settings":      set(sgtm.SettingMeasurementID, "G-XXXXXX"),
		"plain http and a port":     set(sgtm.SettingURL, "http://10.0.0.5:8080"),
		"a path":                    set(sgtm.SettingURL, "https://shop.example/gtm/"),
		"an IPv6 address":           set(sgtm.SettingURL, "https://[2001:db8::1]:8443"),
		"another scheme's spelling": set(sgtm.SettingURL, "HTTPS://tags.example.com"),
		"a custom client":           custom(sgtm.SettingPath, "/data"),
		"a custom client's default": custom(sgtm.SettingPath, ""),
		"a path with escapes":       custom(sgtm.SettingPath, "/a%20b/ä"),
		"a header":                  header("X-Api-Key", "key with spaces\tand ümlauts"),
		"another name of JSON":      header("content-type", "application/cloudevents+json; charset=UTF-8"),
		"the browser's own header":  header("X-Forwarded-For", "203.0.113.9"),
		"no secret": func(_ map[string]string, secrets map[string]relay.Secret) {
			delete(secrets, sgtm.SecretAPI)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := container(change)
			require.NoError(t, sgtm.Adapter{}.Check(d))
			_, err := sgtm.Adapter{}.Request(d, relay.Event{Type: "x", Payload: relay.Payload{}})
			require.NoError(t, err)
		})
	}
}

func TestCheckNamesTheFieldThatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field  string
		change func(map[string]string, map[string]relay.Secret)
	}{
		{sgtm.SettingURL, set(sgtm.SettingURL, "")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "tags.example.com")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "//tags.example.com")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "ftp://tags.example.com")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://:443")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://s3cret:s3cret@tags.example.com")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com?s3cret=1")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com/?")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com/#")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com/a b")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com ")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com/%zz")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com\x00")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com:0")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com:99999")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com:")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags..example.com")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://.example.com")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "http://1")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "http://0x7f.1")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "http://127.1:8080")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com;")},
		{sgtm.SettingURL, set(sgtm.SettingURL, "https://tags.example.com/>")},
		{sgtm.SettingClientType, set(sgtm.SettingClientType, "")},
		{sgtm.SettingClientType, set(sgtm.SettingClientType, "GA4")},
		{sgtm.SettingMeasurementID, set(sgtm.SettingMeasurementID, "")},
		{sgtm.SettingMeasurementID, set(sgtm.SettingMeasurementID, "UA-123")},
		{sgtm.SettingMeasurementID, set(sgtm.SettingMeasurementID, "G-")},
		{sgtm.SettingMeasurementID, set(sgtm.SettingMeasurementID, "G-1&api_secret=x")},
		{sgtm.SettingMeasurementID, set(sgtm.SettingMeasurementID, "G-1\n")},
		{sgtm.SettingPath, custom(sgtm.SettingPath, "collect")},
		{sgtm.SettingPath, custom(sgtm.SettingPath, "/collect?x=1")},
		{sgtm.SettingPath, custom(sgtm.SettingPath, "/collect#x")},
		{sgtm.SettingPath, custom(sgtm.SettingPath, "/col lect")},
		{sgtm.SettingPath, custom(sgtm.SettingPath, "/col\r\nlect")},
		{sgtm.SettingPath, custom(sgtm.SettingPath, "/%zz")},
		{sgtm.SettingPath, custom(sgtm.SettingPath, ".evil.example/")},
		{sgtm.SettingPath, custom(sgtm.SettingPath, "/collect>")},
		{"custom_headers", header("Host", "s3cret")},
		{"custom_headers", header("host", "s3cret")},
		{"custom_headers", header("CONTENT-LENGTH", "s3cret")},
		{"custom_headers", header("Transfer-Encoding", "chunked")},
		{"custom_headers", header("Connection", "close")},
		{"custom_headers", header("Proxy-Authorization", "s3cret")},
		{"custom_headers", header("Expect", "100-continue")},
		{"custom_headers", header("Content-Encoding", "gzip")},
		{"custom_headers", header("content_encoding", "gzip")},
		{"custom_headers", header("Content-Range", "bytes 0-1/2")},
		{"custom_headers", header("accept-encoding", "gzip")},
		{"custom_headers", header("Range", "bytes=0-1")},
		{"custom_headers", header("If-Match", "*")},
		{"custom_headers", header("if-none-match", "*")},
		{"custom_headers", header("If-Modified-Since", "Thu, 15 Jan 2026 10:15:00 GMT")},
		{"custom_headers", header("If-Range", "x")},
		{"custom_headers", header("If-Anything-New", "x")},
		{"custom_headers", header("Proxy-Anything-New", "x")},
		{"custom_headers", header("Prefer", "respond-async")},
		{"custom_headers", header("X-HTTP-Method-Override", "DELETE")},
		{"custom_headers", header("X-Original-URL", "/admin")},
		{"custom_headers", header("Idempotency-Key", "s3cret")},
		{"custom_headers", header("HTTP2-Settings", "x")},
		{"custom_headers", header("Content-Type", "text/plain")},
		{"custom_headers", header("Content-Type", "application/x-www-form-urlencoded")},
		{"custom_headers", header("Content-Type", "application/json; charset=utf-16")},
		{"custom_headers", header("Content-Type", "s3cret")},
		{"custom_headers", header("Content-Type", "")},
		{"custom_headers", header("", "s3cret")},
		{"custom_headers", header("X Key", "s3cret")},
		{"custom_headers", header("X-Key:", "s3cret")},
		{"custom_headers", header("X-Kéy", "s3cret")},
		{"custom_headers", header("X-Key", "s3cret\r\nHost: evil.example")},
		{"custom_headers", header("X-Key", "s3cret\x00")},
		{"custom_headers", header("X-Key", "s3cret\x7f")},
		{"custom_headers", func(settings map[string]string, secrets map[string]relay.Secret) {
			header("X-Api-Key", "s3cret")(settings, secrets)
			header("x-api-key", "s3cret too")(settings, secrets)
		}},
	} {
		d := container(c.change)
		err := sgtm.Adapter{}.Check(d)
		require.Error(t, err, "%v %s", d.Settings, c.field)
		require.True(t, strings.HasPrefix(err.Error(), c.field+": "), err.Error())
		require.NotContains(t, err.Error(), "s3cret")

		_, err = sgtm.Adapter{}.Request(d, relay.Event{Type: "x", Payload: relay.Payload{}})
		var refusal *relay.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, relay.Refusal{Reason: relay.ReasonInvalidField, Field: c.field}, *refusal)
	}
}
