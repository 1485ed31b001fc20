package db_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func TestAPersonsEventsAreFoundInTheirPayloads(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	with := func(order string, storefront int64, payload string) int64 {
		return f.exec(`INSERT INTO marketing_events (event_id, storefront_id, event_type, event_payload, source_system, status, finished_at)
			VALUES (?, ?, 'x', ?, 'oms', 'delivered', '2026-01-01')`, order, storefront, payload)
	}
	forms := ops.ExternalIDForms("Patient/7")
	want := []int64{
		with("plain", bosley, `{"external_id": "Patient/7"}`),
		with("other case", bosley, `{"user_id":"patient/7","email":"x"}`),
		with("escaped", bosley, `{"customer_id": "\u0050atient\/7"}`),
		with("hashed", bosley, `{"external_id": "`+strings.ToUpper(forms[1])+`"}`),
		with("nested", bosley, `{"user_data": {"external_id": ["x", "Patient/7"]}}`),
		with("broken", bosley, `{"external_id": "Patient/7", `),
	}
	for n, payload := range []string{`{"external_id": "Patient/77"}`, `{"note": "Patient/7"}`, `{"items":[{"external_id": "Patient/7"}]}`, `no JSON: Patient/7`, `{}`} {
		with(fmt.Sprint("another-", n), bosley, payload)
	}
	elsewhere := with("elsewhere", pfizer, `{"external_id": "Patient/7"}`)
	e := f.erasure(ops.EraseExternalID, "Patient/7", bosley)
	require.Equal(t, int64(12), e.Total)
	with("later", bosley, `{"external_id": "Patient/7"}`)
	e = f.look(e.ID, 3)
	require.Equal(t, []int64{12, 6}, []int64{e.Scanned, e.Matched})
	var got []int64
	for _, item := range f.items(e.ID) {
		require.True(t, item.Settled)
		got = append(got, item.ID)
	}
	require.Equal(t, want, got)
	require.Equal(t, int64(8), f.look(f.erasure(ops.EraseExternalID, "patient/7", 0).ID, 1000).Matched, "and "+fmt.Sprint(elsewhere))

	number := with("number", bosley, `{"external_id": 4711}`)
	found := f.look(f.erasure(ops.EraseExternalID, "4711", 0).ID, 1000)
	require.Equal(t, []ops.EventState{{ID: number, Status: relay.StatusDelivered, Settled: true}}, f.items(found.ID))
	percent := f.look(f.erasure(ops.EraseExternalID, "%", 0).ID, 1000)
	require.Zero(t, percent.Matched)
}

func TestAnErasureSearchContinuesAtItsCursor(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.insert(newEvents(0, 25, bosley, "bosley"))
	e := f.erasure(ops.EraseExternalID, "nobody", 0)
	for _, want := range []int64{10, 20, 25, 25} {
		again, err := f.SearchErasure(t.Context(), e.ID, 10)
		require.NoError(t, err)
		require.Equal(t, want, again.Scanned)
	}
	open, err := f.OpenErasures(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int64{e.ID}, open)
	ended, err := f.EndErasure(t.Context(), e.ID)
	require.NoError(t, err)
	require.Equal(t, ops.ErasureDone, ended.State)
	open, err = f.OpenErasures(t.Context())
	require.NoError(t, err)
	require.Empty(t, open)
}
