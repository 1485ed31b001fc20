package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// trial is a destination's page for trying it: a check of its settings, a test event, and a preview of a sample.
type trial struct {
	settings
	Type    string
	Sample  string // the item that is previewed, as OMS would send it
	Preview *part[preview]
}

// Host is where the destination's requests go, for a page that sends one.
func (s settings) Host() string {
	where := s.Platform.BaseURL
	if s.Container() {
		where = s.Get("sgtm_url")
	}
	if u, err := url.Parse(where); err == nil && u.Host != "" {
		return u.Host
	}
	return where
}

// At is what a preview says of this destination.
func (t trial) At() any {
	for _, d := range t.Preview.Value.Destinations {
		if d.Destination == t.Key {
			return d
		}
	}
	return nil
}

// sample is an item as OMS sends one, made up.
func (v *visit) sample(kind string) string {
	now := v.now.Format(time.RFC3339)
	item := map[string]any{"t-value": "", "storefront_id": v.part("code"), "event_name": kind, "event_time": now, "order_id": "relay-sample",
		"order_revenue": json.Number("80.79"), "currency": "USD", "session_id": "sess_sample", "email": "jane.example@example.com", "phone": "+14155550132",
		"first_name": "Jane", "last_name": "Example", "zip": "94107", "country": "US", "client_ip": "203.0.113.10", "user_agent": "Mozilla/5.0 (sample)",
		"page_location": "https://example.com/thanks", "consent": true, "utm_source": "google"}
	return indented(item)
}

func showTry(v *visit) (any, error) {
	s, err := v.readSettings()
	if err != nil {
		return nil, err
	}
	if s.ID == 0 {
		return nil, &Problem{Status: http.StatusNotFound, Detail: "The storefront has no settings for this destination.", RequestID: v.id}
	}
	s.Tabs = v.tabs("Try")
	t := trial{settings: s, Type: strings.TrimSpace(v.query.Get("type"))}
	kind := t.Type
	if kind == "" {
		kind = "purchase_completed"
	}
	if t.Sample = v.form.Get("sample"); t.Sample == "" {
		t.Sample = v.sample(kind)
	}
	if t.Type != "" && len(v.form) == 0 {
		t.Preview = v.previewItem(t.Sample)
	}
	return t, nil
}

// previewItem asks what would become of an item. Nothing is sent, and nothing is stored.
func (v *visit) previewItem(item string) *part[preview] {
	p := &part[preview]{}
	if !json.Valid([]byte(item)) {
		p.Problem = &Problem{Status: http.StatusUnprocessableEntity, Detail: "The sample is not valid JSON.", RequestID: v.id}
		return p
	}
	p.Problem = problemOf(v.post("/admin/v1/preview", nil, map[string]any{"event": json.RawMessage(item)}, &p.Value))
	return p
}

// try does what the page's buttons ask for. What it found is in the answer to the form: it may hold what was entered.
func try(v *visit) (next, error) {
	if do := v.form.Get("do"); do != "check" && do != "preview" {
		return next{}, v.unknownForm()
	}
	shown, err := showTry(v)
	if err != nil {
		return next{}, err
	}
	t := shown.(trial) //nolint:forcetypeassert // it is what showTry returns
	if v.form.Get("do") == "preview" {
		t.Preview = v.previewItem(t.Sample)
	} else if err := v.post(t.checkPath(), nil, nil, &t.Check.Value); err != nil {
		return next{}, err
	}
	return next{to: v.here() + "/try", data: t}, nil
}

func (s settings) checkPath() string {
	return "/admin/v1/" + s.Entity() + "/" + strconv.FormatInt(s.ID, 10) + "/check"
}

// here is the page of the destination that the address names.
func (v *visit) here() string {
	return "storefronts/" + segment(v.part("code")) + "/" + segment(v.part("destination"))
}

// showTest names the destination of a test event before it is sent.
func showTest(v *visit) (any, error) { return showTry(v) }

// sendTest sends a test event. Its result is in no store: it is the answer to the form.
func sendTest(v *visit) (next, error) {
	shown, err := showTry(v)
	if err != nil {
		return next{}, err
	}
	t := shown.(trial) //nolint:forcetypeassert // it is what showTry returns
	q := url.Values{"send": {"test"}}
	if code := strings.TrimSpace(v.form.Get("test_event_code")); code != "" {
		q.Set("test_event_code", code)
	}
	k := call{method: http.MethodPost, path: t.checkPath(), query: q}
	if header := strings.TrimSpace(v.form.Get("preview_header")); header != "" {
		k.header = map[string]string{"X-Gtm-Server-Preview": header}
	}
	if _, err := v.do(k, &t.Check.Value); err != nil {
		return next{}, err
	}
	return next{to: v.here() + "/try", data: t}, nil
}

// deleteSettings removes a container or a credential.
func deleteSettings(v *visit) (next, error) {
	id := v.form.Get("id")
	if _, err := strconv.ParseInt(id, 10, 64); err != nil {
		return next{}, v.unknownForm()
	}
	if err := v.change(http.MethodDelete, "/admin/v1/"+entityOf(v.part("destination"))+"/"+id, nil); err != nil {
		return next{}, err
	}
	return v.done("storefronts/" + segment(v.part("code"))), nil
}
