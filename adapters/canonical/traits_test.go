package canonical_test

import (
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

func TestTraitsDecideWhatSettingsMayBe(t *testing.T) {
	t.Parallel()
	month := canonical.Traits{Version: canonical.Form{Pattern: regexp.MustCompile(`^[0-9]{6}$`), Like: "202603"}}
	ids := canonical.Traits{EventID: canonical.Form{Pattern: regexp.MustCompile(`^[0-9]+$`), Like: "1234567"}}
	named := func(name string) relay.Options {
		return relay.Options{Events: map[string]relay.EventRule{"purchase_completed": {Name: name}, "rx_issued": {Skip: true}}}
	}
	for name, c := range map[string]struct {
		traits canonical.Traits
		o      relay.Options
		err    string
	}{
		"a version in the path":     {canonical.Traits{}, relay.Options{APIVersion: "v1.2"}, ""},
		"a month in the path":       {canonical.Traits{}, relay.Options{APIVersion: "202603"}, "api_version: must look like v1 or v1.2"},
		"a month in a header":       {month, relay.Options{APIVersion: "202603"}, ""},
		"a path's version there":    {month, relay.Options{APIVersion: "v1"}, "api_version: must look like 202603"},
		"any name":                  {canonical.Traits{}, named("Purchase"), ""},
		"an id":                     {ids, named(" 987 "), ""},
		"a name instead of an id":   {ids, named("Purchase"), "events: the name for purchase_completed must be the platform's id of the event, such as 1234567"},
		"a type without an id":      {ids, named(""), ""},
		"plain where none is taken": {canonical.Traits{}, relay.Options{PlainIdentifiers: "baa_signed"}, "plain_identifiers: this destination takes no identifiers that are not hashed"},
		"plain":                     {canonical.Traits{Plain: true}, relay.Options{PlainIdentifiers: "baa_signed"}, ""},
		"another agreement":         {canonical.Traits{Plain: true}, relay.Options{PlainIdentifiers: "yes"}, "plain_identifiers: must be baa_signed"},
	} {
		err := canonical.CheckAs(relay.Destination{Options: c.o}, c.traits)
		if c.err == "" {
			require.NoError(t, err, name)
			continue
		}
		require.EqualError(t, err, c.err, name)
	}
}

func TestAddressWithoutAVersionIsUsedAsItIs(t *testing.T) {
	t.Parallel()
	own := relay.Destination{Settings: map[string]string{canonical.SettingBaseURL: "https://eu.example.com/rest/v2/"}, Options: relay.Options{APIVersion: "202604"}}
	require.Equal(t, "https://api.example.com/rest", canonical.Base(relay.Destination{}, "https://api.example.com/rest/", ""))
	require.Equal(t, "https://eu.example.com/rest/v2", canonical.Base(own, "https://api.example.com/rest", ""))
	require.Equal(t, "202603", canonical.APIVersion(relay.Destination{}, "202603"))
	require.Equal(t, "202604", canonical.APIVersion(own, "202603"))
}

func TestAFormIsARequestLikeAnother(t *testing.T) {
	t.Parallel()
	f := open(t, jane, relay.Options{})
	r := f.PostForm("x/1", "https://api.example.com/conversions", map[string]string{"Authorization": "Basic eA=="},
		url.Values{"OrderId": {f.OrderID()}, "Amount": {"80.79"}})
	require.Equal(t, "Amount=80.79&OrderId=order_123", string(r.Body))
	require.Equal(t, map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic eA=="}, r.Header)
	require.Contains(t, r.Dropped, "diagnosis")
	require.NotContains(t, r.Dropped, "order_id")
	require.Equal(t, relay.Redacted, relay.RedactBody(r.Body))
}

func TestSuccessWithoutAJSONBody(t *testing.T) {
	t.Parallel()
	reply := func(status int, body string) relay.Response {
		return relay.Response{Sent: true, Status: status, Body: []byte(body), Repeatable: true}
	}
	cut := reply(200, `{"a":`)
	cut.TransportError = relay.TransportCut
	once := cut
	once.Repeatable = false
	whole, page, begun, none, refused := cut, cut, cut, cut, cut
	whole.Body, page.Body, begun.Body, none.Body = []byte(`{"a":1}`), []byte("<!doc"), []byte("<"), nil
	begun.Repeatable = false
	none.Header = map[string]string{"Content-Type": "text/html"}
	refused.Status = 400
	for name, c := range map[string]struct {
		reply   relay.Response
		outcome relay.Outcome
		decided bool
	}{
		"202 empty":           {reply(202, ""), relay.Accepted, true},
		"201 empty":           {reply(201, " \n"), relay.Accepted, true},
		"text":                {reply(200, "ok"), relay.Accepted, true},
		"JSON":                {reply(200, `{"a":1}`), relay.Accepted, false},
		"a web page":          {reply(200, "<!doctype html>"), relay.Retry, true},
		"400 with JSON":       {reply(400, `{"a":1}`), relay.Rejected, false},
		"400 with a page":     {reply(400, "<html>"), relay.Retry, true},
		"503":                 {reply(503, ""), relay.Retry, true},
		"a redirect":          {reply(302, ""), relay.Rejected, true},
		"cut off":             {cut, relay.Accepted, true},
		"cut off, not twice":  {once, relay.Accepted, true},
		"cut off behind JSON": {whole, relay.Accepted, false},
		"a page, cut off":     {page, relay.Retry, true},
		"the same, not twice": {begun, relay.Unknown, true},
		"a page's header":     {none, relay.Retry, true},
		"a cut refusal":       {refused, relay.Retry, true},
		"401, a cached token": {relay.Response{Sent: true, Status: 401, CachedToken: true, Body: []byte(`{"a":1}`)}, relay.Retry, true},
	} {
		res, decided := canonical.ReadStatus(c.reply, &struct{}{})
		require.Equal(t, c.outcome, res.Outcome, name)
		require.Equal(t, c.decided, decided, name)
	}
	res, decided := canonical.Read(once, &struct{}{})
	require.Equal(t, relay.Unknown, res.Outcome, "a request that may not be repeated is not repeated")
	require.True(t, decided)
	res, _ = canonical.Read(reply(202, ""), &struct{}{})
	require.Equal(t, relay.ReasonNotJSON, res.Reason)
}

func TestIdentifiersLeaveAsTheyAreOnlyUnderTheirAgreement(t *testing.T) {
	t.Parallel()
	const id, mail, phone = "Cust_77", "jane.doe+rx@example.com", "+14155550132"
	for name, c := range map[string]struct {
		plain  bool // the platform takes such
		policy relay.DataPolicy
		o      relay.Options
		want   [3]string
	}{
		"nothing is switched on":       {true, relay.DataPolicyStandard, relay.Options{}, [3]string{}},
		"the platform hashes":          {false, relay.DataPolicyStandard, relay.Options{Identifiers: "hashed", PlainIdentifiers: "baa_signed"}, [3]string{}},
		"the shop's own id":            {true, relay.DataPolicyStandard, relay.Options{Identifiers: "hashed"}, [3]string{id}},
		"health without the agreement": {true, "", relay.Options{Identifiers: "hashed"}, [3]string{}},
		"health with it":               {true, "", relay.Options{PlainIdentifiers: "baa_signed"}, [3]string{id, mail, phone}},
		"standard with it":             {true, relay.DataPolicyStandard, relay.Options{PlainIdentifiers: "baa_signed"}, [3]string{id, mail, phone}},
		"an unknown agreement":         {true, relay.DataPolicyStandard, relay.Options{PlainIdentifiers: "true"}, [3]string{}},
		"denied by name": {true, relay.DataPolicyStandard,
			relay.Options{PlainIdentifiers: "baa_signed", Deny: []string{"e-mail"}}, [3]string{id, "", phone}},
	} {
		e := event(t, jane)
		e.Storefront.DataPolicy = c.policy
		r := rules
		r.Plain = c.plain
		f, err := canonical.Open(relay.Destination{Options: c.o}, e, r)
		require.NoError(t, err)
		require.Equal(t, c.want, [3]string{f.OwnExternalID(), f.OwnEmail(), f.OwnPhone()}, name)
		if c.plain && c.want[1] == "" && c.o.Deny == nil {
			require.Contains(t, f.Withheld(), relay.Withheld{Field: "email", Why: "identifies a person: sent as it is only under plain_identifiers"}, name)
		}
	}
}

func TestATelephoneNumberIsSentAsTheShopsOwnIDByAgreementAlone(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"+14155550132", "(415) 555-0132"} {
		for plain, want := range map[string]string{"": "", relay.BAASigned: id} {
			f, err := canonical.Open(relay.Destination{Options: relay.Options{Identifiers: "hashed", PlainIdentifiers: plain}},
				event(t, `{"external_id":"`+id+`"}`), canonical.Rules{Names: rules.Names, Plain: true})
			require.NoError(t, err)
			require.Equal(t, want, f.OwnExternalID(), id)
			if plain == "" {
				require.Equal(t, []relay.Withheld{{Field: "external_id", Why: "contains a telephone or social security number"}}, f.Withheld())
				require.NotEmpty(t, f.ExternalID(), "its hash leaves as an identifier")
			}
		}
	}
}

func TestAnAddressIsNotSentAsTheShopsOwnID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"jane@example.com", "guest", "c4368707bf8fe93365c93a0ea84c7e027c9215218a706388979294e0a799ccfb"} {
		f, err := canonical.Open(relay.Destination{Options: relay.Options{Identifiers: "hashed"}}, event(t, `{"external_id":"`+id+`"}`),
			canonical.Rules{Names: rules.Names, Plain: true})
		require.NoError(t, err)
		require.Empty(t, f.OwnExternalID(), id)
	}
}
