// Package adaptertest is shared by the tests of all adapters: cases that are files, and the runner that compares an adapter's
// requests with the approved ones. It is test machinery and stays out of the binary.
package adaptertest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

const (
	eventSuffix   = ".event.json"
	requestSuffix = ".request.json"
)

// Case is one event for one destination: a file testdata/<name>.event.json in a readable form.
type Case struct {
	Name        string
	Event       relay.Event
	Destination relay.Destination
}

// file is the form of an .event.json. Unknown fields are refused, because a misspelt one would test nothing.
type file struct {
	Why         string      `json:"why"` // the purpose of the case
	Destination destination `json:"destination"`
	Event       event       `json:"event"`
}

type destination struct {
	Key      string                  `json:"key"`
	Settings map[string]string       `json:"settings"`
	Secrets  map[string]relay.Secret `json:"secrets"`
	Options  relay.Options           `json:"options"`
}

type event struct {
	ID         int64           `json:"id"`
	EventID    string          `json:"event_id"`
	Type       string          `json:"event_type"`
	Source     string          `json:"source_system"` // default oms
	Storefront storefront      `json:"storefront"`
	Payload    json.RawMessage `json:"event_payload"` // null is a payload that could not be read
	CreatedAt  time.Time       `json:"created_at"`    // default now
	Now        time.Time       `json:"now"`           // default 2026-11-23T08:00:00Z
}

type storefront struct {
	ID                  int64            `json:"id"`
	Code                string           `json:"storefront_id"`
	Name                string           `json:"name"`
	Currency            string           `json:"currency"`
	PhoneRegion         string           `json:"phone_region"`
	BaseURL             string           `json:"base_url"`
	SendsPayloadEventID bool             `json:"sends_payload_event_id"`
	DataPolicy          relay.DataPolicy `json:"data_policy"` // default health, as for a new storefront
	RequireConsent      bool             `json:"require_consent"`
}

// Load reads the cases of a folder, by name. A folder without any fails the test.
func Load(t testing.TB, dir string) []Case {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"+eventSuffix))
	require.NoError(t, err)
	require.NotEmpty(t, files, "no case in %s", dir)
	cases := make([]Case, len(files))
	for i, f := range files {
		cases[i] = load(t, f)
	}
	return cases
}

func load(t testing.TB, path string) Case {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	var f file
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&f), path)
	require.NotEmpty(t, f.Why, "%s: why is it there?", path)
	return Case{
		Name:        strings.TrimSuffix(filepath.Base(path), eventSuffix),
		Event:       f.Event.event(t),
		Destination: relay.Destination(f.Destination),
	}
}

func (e event) event(t testing.TB) relay.Event {
	t.Helper()
	out := relay.Event{
		ID: e.ID, EventID: e.EventID, Type: e.Type, Source: e.Source, Storefront: e.Storefront.storefront(),
		CreatedAt: e.CreatedAt, Now: e.Now,
	}
	if out.Source == "" {
		out.Source = relay.SourceAPI
	}
	if out.Now.IsZero() {
		out.Now = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	}
	if out.CreatedAt.IsZero() {
		out.CreatedAt = out.Now
	}
	if string(e.Payload) != "null" {
		p, err := relay.ParsePayload(e.Payload)
		require.NoError(t, err)
		out.Payload = p
	}
	return out
}

func (s storefront) storefront() relay.Storefront {
	return relay.Storefront{
		ID: s.ID, Code: s.Code, Name: s.Name, Active: true, Currency: s.Currency, PhoneRegion: s.PhoneRegion, BaseURL: s.BaseURL,
		SendsPayloadEventID: s.SendsPayloadEventID, DataPolicy: s.DataPolicy, RequireConsent: s.RequireConsent,
	}
}
