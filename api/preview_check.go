package api

import (
	"context"
	"errors"
	"maps"
	"strings"

	"relay/internal/ops"
	"relay/internal/relay"
)

// shownAnswer is how many bytes of a vendor's response to a test are shown.
const shownAnswer = 4 << 10

type checkInput struct {
	ID            int64  `path:"id" minimum:"1" maximum:"2147483647" example:"5" doc:"Its id."`
	Send          string `query:"send" enum:"test" example:"test" doc:"test sends one made-up event: to a platform in its own test mode, to a container under the name relay_test."`
	PreviewHeader string `header:"X-Gtm-Server-Preview" pattern:"^[!-~]{1,1000}$" example:"ZW52LTN8a1JYWTZQ" doc:"With send=test, of a container: the value that the preview mode of the tag manager shows under 'Send requests manually', so that the test event shows there."`
	Code          string `query:"test_event_code" pattern:"^[A-Za-z0-9_-]{1,100}$" example:"TEST12345" doc:"With send=test, the code of Meta's, TikTok's or Reddit's test page for this event alone. A stored one of Meta or TikTok marks live events, too."`
}

// CheckView is the result of a check.
type CheckView struct {
	Storefront  string    `json:"storefront" example:"bosley" doc:"The storefront's code."`
	Destination string    `json:"destination" example:"meta_capi" doc:"sgtm, or the platform's code."`
	OK          bool      `json:"ok" example:"true" doc:"Whether the settings are complete and, where a test event was sent, the vendor took it."`
	Field       string    `json:"field,omitempty" example:"access_token" doc:"The setting that is missing or malformed."`
	Message     string    `json:"message" example:"the settings are complete" doc:"The finding, as a text."`
	Warnings    []string  `json:"warnings" nullable:"false" example:"[\"with these settings every event ends failed, missing_field (email, phone, external_id, fbc, fbp or client_ip)\"]" doc:"Warnings about settings that are complete: a test mode that is on for real events, types of events that can never be delivered."`
	Sent        *SentView `json:"sent,omitempty" doc:"Request and response; missing if nothing was sent."`
	Failed
}

// SentView is one exchange with a vendor.
type SentView struct {
	Request PreviewHTTP          `json:"request" doc:"The request; secrets are masked."`
	Status  int                  `json:"status,omitempty" example:"200" doc:"The HTTP status; missing if there was no response."`
	Trouble relay.TransportError `json:"trouble,omitempty" example:"timeout" doc:"Why there was no response."`
	Outcome relay.Outcome        `json:"outcome" example:"accepted" doc:"The relay's reading of the response."`
	Reason  relay.Reason         `json:"reason,omitempty" example:"unauthorized" doc:"Why, for programs."`
	Text    string               `json:"reason_text,omitempty" example:"the destination refused the credential" doc:"The reason, as a text."`
	TraceID string               `json:"trace_id,omitempty" example:"AbCdEf" doc:"The vendor's id of the request."`
	Fields  map[string]string    `json:"fields,omitempty" doc:"The known fields of the response."`
	Answer  any                  `json:"answer,omitempty" doc:"The response, at most 4 KiB; secrets are masked."`
	Warning []string             `json:"warnings,omitempty" example:"[\"the event is older than an hour\"]" doc:"Warnings about the test."`
	TookMS  int64                `json:"took_ms" example:"130" doc:"How long it took, in milliseconds."`
}

type checkOutput struct{ Body CheckView }

// checkOf checks a destination by the id of its credential or sGTM config.
func (h opsHandlers) checkOf(entity ops.Entity, one string, place func(context.Context, int64) (int64, string, error)) func(context.Context, *checkInput) (*checkOutput, error) {
	return func(ctx context.Context, in *checkInput) (*checkOutput, error) {
		storefront, key, err := place(ctx, in.ID)
		if err != nil {
			return nil, gone(err, one)
		}
		v, err := h.check(ctx, storefront, key, entity, in)
		return &checkOutput{v}, err
	}
}

func (h opsHandlers) check(ctx context.Context, storefront int64, key string, entity ops.Entity, in *checkInput) (CheckView, error) {
	setup, err := h.Configs.StorefrontConfig(ctx, storefront)
	if err != nil {
		return CheckView{}, gone(err, "storefront")
	}
	code := setup.Switches.Storefront.Code
	v := CheckView{Storefront: code, Destination: key, OK: true, Message: "the settings are complete",
		Warnings: []string{}}
	adapter, known := h.Adapters[key]
	d, readable := setup.Destinations[key]
	switch {
	case !known:
		return v, refuse(codeNoAdapter)
	case !readable:
		return v, refuse(codeUnreadable)
	}
	if err := adapter.Check(d); err != nil {
		words := maskSecrets(err.Error(), d)
		v.OK, v.Message = false, words
		v.Field, _, _ = strings.Cut(words, ":")
	} else {
		v.Warnings = append(v.Warnings, settingWarnings(adapter, d, setup.Switches.Storefront)...)
	}
	if in.Send != "" && v.OK {
		r, err := testRequest(adapter, d, setup.Switches.Storefront, in)
		if err == nil {
			err = h.audit(ctx, actionTest, entity, in.ID, code+"/"+key)
		}
		if err != nil {
			return v, err
		}
		h.sendTest(ctx, &v, adapter, d, r)
	}
	v.Failed = failedAt(ctx, h.Events, storefront, code, key)
	return v, nil
}

// testRequest is one event in the destination's test mode: under the code of the vendor's test page, or with the header of
// the container's preview, if the request has one.
func testRequest(a relay.Adapter, d relay.Destination, s relay.Storefront, in *checkInput) (relay.Request, error) {
	tester, ok := a.(relay.TestMode)
	if !ok {
		return relay.Request{}, refuse(codeNoTestMode)
	}
	d.Settings = maps.Clone(d.Settings)
	for setting, value := range map[string]string{settingTestCode: in.Code, settingTestID: in.Code, settingPreview: in.PreviewHeader} {
		if value != "" {
			d.Settings[setting] = value
		}
	}
	r, err := tester.TestRequest(letThrough(d), testEvent(s, saleName))
	if err == nil {
		return r, nil
	}
	var refusal *relay.Refusal
	if errors.As(err, &refusal) {
		return r, refuseField(codeNoTestMode, refusal.Field, "a test event cannot be made: "+refusal.Reason.Text())
	}
	return r, refuseWith(codeNoTestMode, "a test event cannot be made of these settings")
}

// sendTest sends one event in the vendor's test mode and reads the response as a delivery does.
func (h opsHandlers) sendTest(ctx context.Context, v *CheckView, a relay.Adapter, d relay.Destination, r relay.Request) {
	reply := h.Send(ctx, r.For(d))
	res := a.Outcome(reply)
	shown := maskRequest(r, d)
	v.Sent = &SentView{Request: PreviewHTTP{shown.Method, shown.URL, shown.Headers, jsonOrText(shown.Body)},
		Status: reply.Status, Trouble: reply.TransportError, Outcome: res.Outcome, Reason: res.Reason, Text: res.Reason.Text(), TraceID: res.TraceID,
		Fields: res.Fields, Warning: r.Warnings, TookMS: reply.Took.Milliseconds()}
	if len(reply.Body) > 0 {
		text := maskSecrets(string(reply.Body), d)
		v.Sent.Answer = jsonOrText(strings.ToValidUTF8(text[:min(len(text), shownAnswer)], "\uFFFD"))
	}
	v.OK = res.Outcome == relay.Accepted
	who := "the vendor"
	if d.Key == relay.SGTM {
		who = "the container"
	}
	v.Message = who + " accepted the test event"
	if !v.OK {
		v.Message = who + " did not accept the test event: " + res.Reason.Text()
	}
}

// letThrough is a destination with options that keep nothing of a test event back. They are there for persons' sake, and its
// person is made up: without one, most platforms refuse the event because they cannot match it.
func letThrough(d relay.Destination) relay.Destination {
	o := &d.Options
	o.Identifiers, o.SendIP, o.SendUserAgent = "hashed", true, true
	o.Allow, o.Deny = nil, nil
	o.Events = maps.Clone(o.Events)
	maps.DeleteFunc(o.Events, func(_ string, rule relay.EventRule) bool { return rule.Skip })
	return d
}
