package relay_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestParseTimeRequiresRFC3339(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "2026-01-15", "2026-01-15 10:15:00", "2026-01-15T10:15", "15.01.2026", "2026-13-01T00:00:00Z",
		"2026-02-30T00:00:00Z", "2026-01-15T24:00:00Z", "2026-01-15T10:15:00+2", " 2026-01-15T10:15:00Z", "2026-01-15T10:15:00,5Z",
		"2026-01-15T10:15:00,5", "2026-01-15T10:15:00+00:60", "2026-01-15T10:15:00+24:00", "2026-01-15T10:15:00+0000",
		"2026-01-15T9:15:00Z", "2026-01-15T10:15:60Z", "2026-01-15T10:15:00.Z", "2026-01-15T10:15:00 Z", "2026-01-15T10:15:00ZZ",
		"2026-01-15T10:15:00-7:00", "1768472100", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
		"10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "２026-01-15T10:15:00Z", "2026-01-15T10:15:00Z\n"} {
		_, ok := relay.ParseTime(s)
		require.False(t, ok, "%q", s)
	}
	at := time.Date(2026, 1, 15, 10, 15, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"2026-01-15T10:15:00Z": at, "2026-01-15t10:15:00z": at, "2026-01-15T10:15:00": at, "2026-01-15T10:15:00-00:00": at,
		"2026-01-16T10:14:00+23:59": at, "2026-01-15T10:15:00.000000000000Z": at, "2026-01-15T10:15:00.5+00:00": at.Add(time.Second / 2),
		"0001-01-01T00:00:00Z": time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), "9999-12-31T23:59:59Z": time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		got, ok := relay.ParseTime(s)
		require.True(t, ok, s)
		require.True(t, want.Equal(got), "%s: %s", s, got)
	}
}

func TestRowsTimeIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 10, 10, 25, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		`"2026-11-10 10:25:00"`:        at,
		`"2026-11-10 10:25:00.000000"`: at,
		`"2026-11-10 10:25:00.5"`:      at.Add(time.Second / 2),
		`"2026-11-10 10:25:00+00:00"`:  at,
		`"2026-11-10 12:25:00+02:00"`:  at,
		`" 2026-11-10T10:25:00Z "`:     at,
		`"2026-11-10T10:25:00"`:        at,
		`1794306300`:                   at,
		`"1794306300"`:                 at,
		`1794306300.25`:                at.Add(time.Second / 4),
		`1.7943063e9`:                  at,
		`1794306300000`:                at,
		`"1794306300123"`:              at.Add(123 * time.Millisecond),
		`100000000`:                    time.Unix(100000000, 0),
	} {
		got, stated, ok := relay.Payload{"event_time": json.RawMessage(text)}.EventTime()
		require.True(t, stated, text)
		require.True(t, ok, text)
		require.True(t, want.Equal(got), "%s: %s", text, got.UTC())
		e := relay.Event{Source: relay.SourceDirect, Payload: relay.Payload{"event_time": json.RawMessage(text)}, CreatedAt: created}
		require.True(t, want.Equal(e.Time()), text)
		require.NoError(t, e.CheckTime(), text)
	}
}

func TestAnUnreadableTimeIsNotReplacedByTheRows(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`"yesterday"`, `"2026-11-10"`, `"2026-11-10T10:25:00+0000"`, `"2026-11-10 10:25"`, `"0000-00-00 00:00:00"`,
		`"10.11.2026 10:25:00"`, `"2026-11-10 10:25:00,5"`, `0`, `-1`, `1`, `20261110`, `20261110102500`, `"20261110102500"`, `1794306300000000`,
		`99999999`, `4102444800`, `1e400`, `"0x6a0b5c1c"`, `"1794306300s"`, `"NaN"`, `"null"`, `true`, `false`, `{}`, `[]`, `["2026-11-10T10:25:00Z"]`,
		`{"date":"2026-11-10 10:25:00.000000"}`, `"2026-11-10 25:00:00"`, `"` + "\u200b" + `"`} {
		_, stated, ok := relay.Payload{"event_time": json.RawMessage(text)}.EventTime()
		require.True(t, stated, text)
		require.False(t, ok, text)
		e := relay.Event{Source: relay.SourceDirect, Payload: relay.Payload{"event_time": json.RawMessage(text)}, CreatedAt: created}
		require.EqualError(t, e.CheckTime(), "invalid_field: event_time", text)
		require.True(t, created.Equal(e.Time()), text)
		e.Source = relay.SourceAPI
		require.NoError(t, e.CheckTime(), "the API has checked its own")
	}
	for _, text := range []string{``, `null`, `""`, `" \t"`} {
		p := relay.Payload{"event_time": json.RawMessage(text)}
		_, stated, ok := p.EventTime()
		require.False(t, stated || ok, text)
		e := relay.Event{Source: relay.SourceDirect, Payload: p, CreatedAt: created}
		require.NoError(t, e.CheckTime(), text)
		require.True(t, created.Equal(e.Time()), text)
	}
}

func TestRenderCallsNoAdapterIfTheTimeIsUnreadable(t *testing.T) {
	t.Parallel()
	_, err := relay.Render(nil, relay.Destination{}, event(t, relay.SourceDirect, `{"event_time":"+0000"}`))
	require.EqualError(t, err, "invalid_field: event_time")
}

func FuzzReadTime(f *testing.F) {
	for _, s := range []string{"2026-11-10 10:25:00", "2026-11-10T10:25:00,5Z", "1794306300", "1.7943063e9", "0001-01-01T00:00:00+14:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := relay.ReadTime(s)
		if !ok {
			return
		}
		b, err := at.UTC().MarshalJSON() // fails beyond the years of RFC 3339
		require.NoError(t, err)
		var text string
		require.NoError(t, json.Unmarshal(b, &text))
		again, ok := relay.ParseTime(text)
		require.True(t, ok, text)
		require.True(t, at.Equal(again))
	})
}
