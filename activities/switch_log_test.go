package activities_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/activities"
	"relay/internal/ops"
	"relay/internal/relay"
)

// switchedOff is a store with one event, whose platform anna has switched off for its storefront.
type switchedOff struct {
	activities.Store
	flip     error
	recorded []relay.Attempt
}

func (s *switchedOff) Delivery(context.Context, int64, string, string) (relay.Delivery, error) {
	return relay.Delivery{Owned: true, Switches: relay.Switches{
		Storefront: relay.Storefront{ID: 5, Code: "bosley", Active: true},
		Platforms:  []relay.PlatformSwitch{{Code: "meta_capi", PlatformActive: true}},
	}}, nil
}

func (s *switchedOff) RecordSending(_ context.Context, attempts ...relay.Attempt) error {
	s.recorded = append(s.recorded, attempts...)
	return nil
}

func (s *switchedOff) SwitchChange(_ context.Context, storefront int64, destination string, reason relay.Reason) (ops.SwitchChange, error) {
	if storefront != 5 || destination != "meta_capi" || reason != relay.ReasonCredentialDisabled {
		return ops.SwitchChange{}, nil
	}
	return ops.SwitchChange{By: "anna", At: time.Date(2026, 1, 15, 10, 15, 0, 0, time.UTC)}, s.flip
}

func TestABlockedAttemptNamesTheSwitchAndWhoSetItWhen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flip error
		who  string
	}{
		"known":                       {nil, " (set by anna at 2026-01-15T10:15:00Z)"},
		"the database is unavailable": {errors.New("away"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &switchedOff{flip: c.flip}
			a := &activities.Activities{Store: s, SwitchLog: s, Policy: relay.Policy{MaxAttempts: 5, Base: time.Minute}, Log: slog.New(slog.DiscardHandler)}
			out, err := a.Deliver(t.Context(), activities.DeliverInput{Row: activities.Row{ID: 1, Run: "run"}, Destination: "meta_capi"})
			require.NoError(t, err)
			require.Equal(t, relay.Blocked, out.End.Outcome)
			require.Len(t, s.recorded, 1)
			require.Equal(t, relay.ReasonCredentialDisabled.Text()+c.who, s.recorded[0].Detail)
		})
	}
}
