package cmd

import (
	"context"
	"sync"
	"time"

	"relay/internal/relay"
)

// routesEvery bounds the age of a storefront's cached route. The cache only makes deliveries searchable: each delivery resolves its own route.
const routesEvery = 5 * time.Second

// routes knows where the events of storefronts go at present.
type routes struct {
	switches func(ctx context.Context, storefront string) (relay.Switches, error)
	policy   relay.Policy

	mu    sync.Mutex
	known map[string]knownRoute // by code
}

type knownRoute struct {
	at           time.Time
	destinations []string
}

func (s *service) newRoutes() *routes {
	return &routes{known: map[string]knownRoute{}, policy: s.cfg.Policy(), switches: func(ctx context.Context, storefront string) (relay.Switches, error) {
		ids, err := s.store.StorefrontIDs(ctx, []string{storefront})
		if err != nil {
			return relay.Switches{}, err
		}
		list, err := s.store.StorefrontSwitches(ctx, ids[storefront], 0, 1)
		if err != nil || len(list) == 0 {
			return relay.Switches{}, err
		}
		for i, p := range list[0].Platforms {
			_, list[0].Platforms[i].HasAdapter = s.adapters[p.Code]
		}
		return list[0], nil
	}}
}

// of returns the destinations of a storefront's route; none where they cannot be read.
func (r *routes) of(ctx context.Context, storefront string) []string {
	r.mu.Lock()
	one, ok := r.known[storefront]
	if ok && time.Since(one.at) < routesEvery {
		r.mu.Unlock()
		return one.destinations
	}
	one.at = time.Now()
	r.known[storefront] = one // other callers use the cached route meanwhile
	r.mu.Unlock()
	s, err := r.switches(ctx, storefront)
	if err != nil {
		return one.destinations
	}
	one.destinations = nil
	for _, target := range relay.Resolve(s, r.policy).Targets {
		one.destinations = append(one.destinations, target.Destination)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[storefront] = one
	return one.destinations
}
