package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"relay/internal/relay"
)

// Settings of a test: the first marks real events, too, where it is stored.
const (
	settingTestCode = "test_event_code"
	settingTestID   = "test_id" // Reddit's; live events do not have it
	settingPreview  = "preview_header"
)

// settingWarnings returns the warnings of a destination's settings that concern every event. The settings are valid:
// the adapter has checked them.
func settingWarnings(a relay.Adapter, d relay.Destination, s relay.Storefront) []string {
	var warnings []string
	if d.Settings[settingTestCode] != "" {
		warnings = append(warnings, settingTestCode+" is set: real events are marked as test events; remove it when the test is over")
	}
	if testsOnly(a, d, s) {
		warnings = append(warnings, "options.test is set: real events go to the vendor's validating endpoint, which records nothing")
	}
	if w, ok := a.(relay.Warner); ok {
		warnings = append(warnings, w.SettingWarnings(d)...)
	}
	return slices.Concat(warnings, missingIDs(a, d.Options), refusedTypes(a, d, s))
}

// missingIDs warns of types of events that have no id at a vendor with ids instead of names, and are not skipped on purpose.
func missingIDs(a relay.Adapter, o relay.Options) []string {
	n, ok := a.(relay.Namer)
	if !ok {
		return nil
	}
	var missing []string
	for _, kind := range n.EventNames().NeedID {
		if rule := o.Events[kind]; rule.Name == "" && !rule.Skip {
			missing = append(missing, kind)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return []string{"options.events has no id of the vendor's for " + strings.Join(missing, ", ") + ": such events are skipped"}
}

// testsOnly reports whether the option test keeps real events from being recorded: not every platform has such an address or field.
func testsOnly(a relay.Adapter, d relay.Destination, s relay.Storefront) bool {
	if !d.Options.Test {
		return false
	}
	d = letThrough(d)
	e := sampleEvent(s, saleName)
	test, err := a.Request(d, e)
	d.Options.Test = false
	live, _ := a.Request(d, e)
	return err == nil && (test.URL != live.URL || !bytes.Equal(test.Body, live.Body))
}

// warnings is settingWarnings of a destination that was just written.
func (a *Admin) warnings(ctx context.Context, storefront int64, d relay.Destination) []string {
	adapter, ok := a.Adapters[d.Key]
	if !ok || adapter.Check(d) != nil {
		return nil
	}
	s, err := a.Storefronts.Find(ctx, storefront)
	if err != nil {
		return nil // the write is done; a check says it, too
	}
	return settingWarnings(adapter, d, s.Value)
}

// refusedTypes says which types of events can never be delivered under these settings, because a sample with every field is
// refused.
func refusedTypes(a relay.Adapter, d relay.Destination, s relay.Storefront) []string {
	types := sentTypes(a, d.Options)
	if n, names := a.(relay.Namer); len(types) == 0 && names && len(n.EventNames().NeedID) == 0 {
		return []string{"no type of event is sent: options.events skips those that have a name at this destination"}
	}
	by := map[string][]string{}
	for _, kind := range types {
		if end := refusalOf(a, d, sampleEvent(s, kind)); end != "" {
			by[end] = append(by[end], kind)
		}
	}
	var warnings []string
	for _, end := range slices.Sorted(maps.Keys(by)) {
		which := "every event"
		if len(by[end]) < len(types) {
			which = "every " + strings.Join(by[end], ", ") + " event"
		}
		warnings = append(warnings, "with these settings "+which+" ends "+end)
	}
	return warnings
}

// sentTypes are the types of events that have a name at a destination and are not skipped, sorted. A destination without
// names of its own accepts every type; the two that all platforms know represent them.
func sentTypes(a relay.Adapter, o relay.Options) []string {
	sent := map[string]bool{saleName: true, "consult_started": true}
	if n, ok := a.(relay.Namer); ok {
		clear(sent)
		for kind := range n.EventNames().Default {
			sent[kind] = true
		}
	}
	for kind, rule := range o.Events {
		sent[kind] = !rule.Skip && (rule.Name != "" || sent[kind])
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(sent)), func(kind string) bool { return !sent[kind] })
}

// refusalOf is how an event ends that the adapter would not send: "failed, missing_field (order_revenue)".
func refusalOf(a relay.Adapter, d relay.Destination, e relay.Event) string {
	_, err := a.Request(d, e)
	var refusal *relay.Refusal
	if !errors.As(err, &refusal) {
		return ""
	}
	end := relay.StatusFailed
	if refusal.Skip {
		end = relay.StatusSkipped
	}
	words := fmt.Sprintf("%s, %s", end, refusal.Reason)
	if refusal.Field != "" {
		words += " (" + refusal.Field + ")"
	}
	return words
}
