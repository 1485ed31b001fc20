package workflows

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"relay/internal/relay"
)

// Search attributes of DeliverEvent. A namespace has to have them registered (relay migrate up does).
var (
	Storefront   = temporal.NewSearchAttributeKeyKeyword("Storefront")
	EventType    = temporal.NewSearchAttributeKeyKeyword("EventType")
	EventID      = temporal.NewSearchAttributeKeyKeyword("EventId")
	Source       = temporal.NewSearchAttributeKeyKeyword("Source")
	Destinations = temporal.NewSearchAttributeKeyKeywordList("Destinations")
)

var attributeTypes = map[string]enums.IndexedValueType{
	Storefront.GetName():   enums.INDEXED_VALUE_TYPE_KEYWORD,
	EventType.GetName():    enums.INDEXED_VALUE_TYPE_KEYWORD,
	EventID.GetName():      enums.INDEXED_VALUE_TYPE_KEYWORD,
	Source.GetName():       enums.INDEXED_VALUE_TYPE_KEYWORD,
	Destinations.GetName(): enums.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}

// RegisterSearchAttributes registers our search attributes in a namespace. It is idempotent. A server uses new ones only
// after a second or two.
func RegisterSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace:        namespace,
		SearchAttributes: attributeTypes,
	})
	if err != nil {
		return fmt.Errorf("register search attributes: %w", err)
	}
	return checkSearchAttributes(ctx, c, namespace)
}

// checkSearchAttributes is needed beside registering: the server silently keeps an existing attribute of another type.
func checkSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	got, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("list search attributes: %w", err)
	}
	for name, want := range attributeTypes {
		if t, ok := got.GetCustomAttributes()[name]; !ok || t != want {
			return fmt.Errorf("search attribute %s: namespace has %v, want %v", name, t, want)
		}
	}
	return nil
}

// Search selects the search attributes of deliveries. There are none until Detect has found them registered.
type Search struct {
	// IDs lets event ids and types be search attributes, which not every cluster should see.
	IDs   bool
	ready atomic.Bool
}

// Detect checks whether the namespace has our attributes.
func (s *Search) Detect(ctx context.Context, c client.Client, namespace string) error {
	err := checkSearchAttributes(ctx, c, namespace)
	s.ready.Store(err == nil)
	return err
}

// attributes of one delivery at its start; false where the namespace has none.
func (s *Search) attributes(e relay.PendingDelivery, route []string) (temporal.SearchAttributes, bool) {
	if !s.ready.Load() {
		return temporal.SearchAttributes{}, false
	}
	updates := []temporal.SearchAttributeUpdate{Storefront.ValueSet(e.StorefrontCode), Source.ValueSet(e.Source)}
	if s.IDs {
		updates = append(updates, EventType.ValueSet(e.Type), EventID.ValueSet(e.EventID))
	}
	if len(route) > 0 {
		updates = append(updates, Destinations.ValueSet(route))
	}
	return temporal.NewSearchAttributes(updates...), true
}

// tag makes the delivery findable by its destinations. Usually its start has done that, and an upsert costs a write to the list of
// workflows. Where an activity follows, the upsert travels with the command that schedules it.
func (d *delivery) tag(ctx workflow.Context, targets []relay.Target) error {
	if !d.in.Searchable || d.first.made && tagged(ctx, targets) {
		return nil
	}
	return workflow.UpsertTypedSearchAttributes(ctx, Destinations.ValueSet(keysOf(targets)))
}

// tagFirst corrects what the start has set, where the route is another.
func (d *delivery) tagFirst(ctx workflow.Context) error {
	set, known := workflow.GetTypedSearchAttributes(ctx).GetKeywordList(Destinations)
	targets := d.route.Targets
	if !d.in.Searchable || known == (len(targets) > 0) && len(set) == len(targets) && tagged(ctx, targets) {
		return nil
	}
	if len(targets) == 0 {
		return workflow.UpsertTypedSearchAttributes(ctx, Destinations.ValueUnset())
	}
	return workflow.UpsertTypedSearchAttributes(ctx, Destinations.ValueSet(keysOf(targets)))
}

// tagged reports whether the delivery is findable by all of these destinations.
func tagged(ctx workflow.Context, targets []relay.Target) bool {
	set, _ := workflow.GetTypedSearchAttributes(ctx).GetKeywordList(Destinations)
	return !slices.ContainsFunc(targets, func(target relay.Target) bool { return !slices.Contains(set, target.Destination) })
}

func keysOf(targets []relay.Target) []string {
	keys := make([]string, len(targets))
	for i, target := range targets {
		keys[i] = target.Destination
	}
	return keys
}
