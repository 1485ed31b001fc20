// Package seed writes a configuration for development and tests as the admin API does: through the store's collections, with
// an entry in the audit for each write. The relay itself does not use it.
package seed

import (
	"context"
	"errors"
	"fmt"

	"relay/db"
	"relay/internal/ops"
	"relay/internal/relay"
)

// Seed is a store with shortcuts that take codes. The zero fields of a value have the defaults of the admin API.
type Seed struct{ *db.Store }

// On returns the Seed of a store.
func On(store *db.Store) Seed { return Seed{store} }

func act(action ops.Action) ops.Actor { return ops.Actor{By: "seed", Action: action} }

// collection is the part of a store's collections that Seed uses.
type collection[T any] interface {
	List(ctx context.Context, q ops.ListQuery) (ops.Page[ops.Record[T]], error)
	Create(ctx context.Context, act ops.Actor, id int64, v T) (ops.Record[T], error)
	Update(ctx context.Context, act ops.Actor, id int64, change func(ops.Record[T]) (T, error)) (ops.Record[T], error)
}

// find returns the one row that matches a filter; relay.ErrNotFound if there is none.
func find[T any](ctx context.Context, c collection[T], filter map[string]any) (ops.Record[T], error) {
	page, err := c.List(ctx, ops.ListQuery{Filter: filter, Limit: 1})
	if err == nil && len(page.Items) == 0 {
		err = fmt.Errorf("%v: %w", filter, relay.ErrNotFound)
	}
	if err != nil {
		return ops.Record[T]{}, err
	}
	return page.Items[0], nil
}

// put replaces the row that matches a filter, or creates it.
func put[T any](ctx context.Context, c collection[T], filter map[string]any, v T) error {
	old, err := find(ctx, c, filter)
	if errors.Is(err, relay.ErrNotFound) {
		_, err = c.Create(ctx, act(ops.ActionCreate), 0, v)
		return err
	}
	if err != nil {
		return err
	}
	_, err = c.Update(ctx, act(ops.ActionReplace), old.ID, func(ops.Record[T]) (T, error) { return v, nil })
	return err
}

// change changes the row that matches a filter.
func change[T any](ctx context.Context, c collection[T], filter map[string]any, f func(*T)) error {
	old, err := find(ctx, c, filter)
	if err != nil {
		return err
	}
	_, err = c.Update(ctx, act(ops.ActionPatch), old.ID, func(r ops.Record[T]) (T, error) {
		f(&r.Value)
		return r.Value, nil
	})
	return err
}

// CreateStorefront adds a storefront, under its ID if it has one, and returns the id. A code or id in use is
// relay.ErrConflict.
func (s Seed) CreateStorefront(ctx context.Context, v relay.Storefront) (int64, error) {
	r, err := s.Storefronts().Create(ctx, act(ops.ActionCreate), v.ID, v)
	return r.ID, err
}

// PutSGTM creates or replaces a storefront's container.
func (s Seed) PutSGTM(ctx context.Context, storefrontID int64, v ops.SGTMConfig) error {
	storefront, err := s.Storefronts().Find(ctx, storefrontID)
	if err != nil {
		return err
	}
	v.StorefrontID, v.StorefrontCode = storefrontID, storefront.Value.Code
	return put(ctx, s.SGTMConfigs(), map[string]any{"storefront_id": storefrontID}, v)
}

// PutCredential creates or replaces a storefront's credential at the platform that v names by its code. A storefront or
// platform that does not exist is relay.ErrNotFound.
func (s Seed) PutCredential(ctx context.Context, storefrontID int64, v ops.Credential) error {
	storefront, err := s.Storefronts().Find(ctx, storefrontID)
	if err != nil {
		return err
	}
	platform, err := find(ctx, s.Platforms(), map[string]any{"code": v.Platform})
	if err != nil {
		return err
	}
	v.StorefrontID, v.StorefrontCode, v.PlatformID, v.FieldList = storefrontID, storefront.Value.Code, platform.ID, platform.Value.Fields
	return put(ctx, s.Credentials(), map[string]any{"storefront_id": storefrontID, "platform_id": platform.ID}, v)
}

// AddPlatform adds an active platform to the catalogue. An existing platform with that code does not change.
func (s Seed) AddPlatform(ctx context.Context, v ops.Platform) error {
	v.Active = true
	_, err := s.Platforms().Create(ctx, act(ops.ActionCreate), 0, v)
	if errors.Is(err, relay.ErrConflict) {
		return nil
	}
	return err
}

// SetStorefrontActive sets a storefront's kill switch.
func (s Seed) SetStorefrontActive(ctx context.Context, id int64, active bool) error {
	_, err := s.Storefronts().Update(ctx, act(ops.ActionPatch), id, func(r ops.Record[relay.Storefront]) (relay.Storefront, error) {
		r.Value.Active = active
		return r.Value, nil
	})
	return err
}

// SetSGTMActive sets the kill switch of a storefront's container.
func (s Seed) SetSGTMActive(ctx context.Context, storefrontID int64, active bool) error {
	return change(ctx, s.SGTMConfigs(), map[string]any{"storefront_id": storefrontID}, func(v *ops.SGTMConfig) { v.Active = active })
}

// SetPlatformActive sets a platform's kill switch.
func (s Seed) SetPlatformActive(ctx context.Context, code string, active bool) error {
	return change(ctx, s.Platforms(), map[string]any{"code": code}, func(v *ops.Platform) { v.Active = active })
}

// SetPlatformURL sets the address of a platform.
func (s Seed) SetPlatformURL(ctx context.Context, code, base string) error {
	return change(ctx, s.Platforms(), map[string]any{"code": code}, func(v *ops.Platform) { v.APIBaseURL = base })
}

// SetCredentialActive sets the kill switch of a storefront at a platform.
func (s Seed) SetCredentialActive(ctx context.Context, storefrontID int64, platform string, active bool) error {
	return change(ctx, s.Credentials(), map[string]any{"storefront_id": storefrontID, "platform_code": platform},
		func(v *ops.Credential) { v.Active = active })
}
