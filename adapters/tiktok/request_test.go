package tiktok_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/adaptertest"
	"relay/adapters/tiktok"
	"relay/internal/relay"
)

func TestRequestHoldsNeitherTheEventsOwnNameNorItsID(t *testing.T) {
	t.Parallel()
	for _, c := range adaptertest.Load(t, "testdata") {
		r, err := tiktok.Adapter{}.Request(c.Destination, c.Event)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no, c.Name)
			require.Zero(t, r, c.Name)
			continue
		}
		require.NotContains(t, strings.ToLower(string(r.Body)), c.Event.Type, c.Name)
		require.NotContains(t, string(r.Body), c.Event.EventID+":", c.Name)
		require.Contains(t, string(r.Body), `"event_id":"`+c.Event.DedupID()+`"`, c.Name)
		for _, secret := range c.Destination.Secrets {
			require.NotContains(t, r.URL+string(r.Body), secret.Reveal(), c.Name)
		}
	}
}

func TestCheckNamesTheSetting(t *testing.T) {
	t.Parallel()
	valid := func() relay.Destination {
		return relay.Destination{Settings: map[string]string{"pixel_code": "C1"}, Secrets: map[string]relay.Secret{"access_token": relay.NewSecret("t")}}
	}
	require.NoError(t, tiktok.Adapter{}.Check(valid()))
	for field, spoil := range map[string]func(*relay.Destination){
		"pixel_code":      func(d *relay.Destination) { delete(d.Settings, "pixel_code") },
		"access_token":    func(d *relay.Destination) { d.Secrets["access_token"] = relay.NewSecret("Bearer t") },
		"test_event_code": func(d *relay.Destination) { d.Settings["test_event_code"] = "a b" },
		"api_version":     func(d *relay.Destination) { d.Options.APIVersion = "1.3" },
	} {
		d := valid()
		spoil(&d)
		require.ErrorContains(t, tiktok.Adapter{}.Check(d), field+": ")
		_, err := tiktok.Adapter{}.Request(d, relay.Event{Type: "purchase_completed"})
		var no *relay.Refusal
		require.ErrorAs(t, err, &no)
		require.Equal(t, relay.Refusal{Reason: relay.ReasonInvalidField, Field: field}, *no)
	}
}

// FuzzRequest puts anything at all into any field of a full payload.
func FuzzRequest(f *testing.F) {
	var full relay.Payload
	for _, c := range adaptertest.Load(f, "testdata") {
		if c.Name == "purchase_full" {
			full = c.Event.Payload
		}
	}
	for field, value := range full {
		f.Add(field, []byte(value), "purchase_completed", true)
	}
	f.Add("items", []byte(`[{"id":1,"price":"-0","quantity":"1e2"},{"sku":"b","price":1e400}]`), "rx_issued", true)
	f.Add("order_revenue", []byte(`"1e5"`), "rx_issued", false)
	f.Add("fbclid", []byte(`"AbC"`), "x", true)
	f.Fuzz(func(t *testing.T, field string, value []byte, name string, hashed bool) {
		p := maps.Clone(full)
		p[field] = value
		if !json.Valid(value) {
			p[field], _ = json.Marshal(string(value)) // a string always marshals
		}
		now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
		d := relay.Destination{
			Settings: map[string]string{"pixel_code": "C1"}, Secrets: map[string]relay.Secret{"access_token": relay.NewSecret("t")},
			Options: relay.Options{SendIP: true, SendUserAgent: true, Events: map[string]relay.EventRule{name: {Name: "Lead"}}},
		}
		if hashed {
			d.Options.Identifiers = "hashed"
		}
		e := relay.Event{EventID: "row-0", Type: name, Source: relay.SourceAPI, Payload: p, CreatedAt: now, Now: now,
			Storefront: relay.Storefront{Code: "bosley", Currency: "USD", PhoneRegion: "US", BaseURL: "https://bosley.example", SendsPayloadEventID: true, DataPolicy: relay.DataPolicyStandard}}
		r, err := tiktok.Adapter{}.Request(d, e)
		if err != nil {
			var no *relay.Refusal
			require.ErrorAs(t, err, &no)
			return
		}
		var b struct {
			Data []struct {
				EventID    string            `json:"event_id"` // a number would not decode
				EventTime  int64             `json:"event_time"`
				User       map[string]string `json:"user"`
				Properties struct {
					Value      *float64 `json:"value"`
					Currency   string   `json:"currency"`
					OrderID    string   `json:"order_id"`
					ContentIDs []string `json:"content_ids"`
					Contents   []struct {
						ContentID string `json:"content_id"`
					} `json:"contents"`
				} `json:"properties"`
				Page struct {
					URL string `json:"url"`
				} `json:"page"`
			} `json:"data"`
		}
		require.NoError(t, json.Unmarshal(r.Body, &b))
		require.Len(t, b.Data, 1)
		ev := b.Data[0]
		require.NotEmpty(t, ev.EventID)
		require.NotEmpty(t, ev.Page.URL)
		require.LessOrEqual(t, ev.EventTime, now.Unix())
		require.Equal(t, ev.Properties.Value == nil, ev.Properties.Currency == "")
		require.Len(t, ev.Properties.Contents, len(ev.Properties.ContentIDs))
		require.NotContains(t, string(r.Body), "e3b0c44298fc1c14")
		for key, v := range ev.User {
			require.NotEmpty(t, v, key)
			if !hashed {
				require.Contains(t, []string{"ip", "user_agent"}, key)
			}
		}
	})
}
