package relay

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Switches are the four levels of the kill-switch hierarchy as they apply to one event, with the attempts made so far.
type Switches struct {
	Storefront Storefront
	SGTM       *SGTMSwitch // nil where the storefront has no container
	Platforms  []PlatformSwitch
	Attempts   map[string]AttemptSummary // by destination
}

// SGTMSwitch is the second level: the storefront's container.
type SGTMSwitch struct {
	Active bool
	// Stop ends events as skipped while the container is off; otherwise they go to the platforms.
	Stop bool
	// DirectOnExhausted sends events directly to the platforms once their attempts at the container are exhausted.
	DirectOnExhausted bool
}

// PlatformSwitch is levels three and four: a platform for which the storefront has a credential.
type PlatformSwitch struct {
	Code             string
	PlatformActive   bool
	CredentialActive bool
	HasAdapter       bool
}

// AttemptSummary counts an event's attempts at one destination.
type AttemptSummary struct {
	Made     int  // in the event's present generation
	Accepted bool // ever
	// Cause and Status describe the latest attempt.
	Cause  Reason
	Status int
	// Last is the outcome of the latest attempt in the present generation, and Age the time since it began.
	Last Outcome
	Age  time.Duration
}

// Target is one destination of a route.
type Target struct {
	Destination string
	Made        int // attempts made so far
	Left        int // attempts left
	// Cause and Status describe the last attempt, if none is left.
	Cause  Reason `json:",omitempty"`
	Status int    `json:",omitempty"`
}

// Disabled is a destination that a switch disables, and the reason.
type Disabled struct {
	Destination string
	Reason      Reason
}

// Route is the decision of the kill switches for an event: its destinations, or the reason for having none. Base is the first
// retry's delay.
type Route struct {
	Targets  []Target   `json:"Legs"`
	Reason   Reason     // of a route without destinations
	Disabled []Disabled `json:"Off"` // disabled destinations
	Accepted []string   // destinations that have the event already
	Base     time.Duration
	// FailsOver says that the platforms receive the events that this route's container does not accept.
	FailsOver bool `json:"HandsOver,omitempty"`
}

// Policy is the retry policy: MAX_RETRY_ATTEMPTS attempts in all, the first at once, then after Base, 2 × Base, 4 × Base, ...
// By default 60, 120, 240, 480 s: 15 minutes.
type Policy struct {
	MaxAttempts int
	Base        time.Duration
}

// Delay returns the wait after the n-th failed attempt (counted from 1).
func (p Policy) Delay(n int) time.Duration {
	const limit = 24 * time.Hour
	d := p.Base
	for range n - 1 {
		if d >= limit {
			break
		}
		d *= 2
	}
	return min(d, limit)
}

// Resolve evaluates the four levels, from the storefront down. A destination that has accepted the event is no longer a target of
// its route, and a container that has it leaves nothing for the platforms; a destination without attempts left is a target (with
// 0 left), so that its failure is seen.
func Resolve(s Switches, p Policy) Route {
	r := Route{Base: p.Base}
	for _, key := range sortedKeys(s.Attempts) {
		if s.Attempts[key].Accepted {
			r.Accepted = append(r.Accepted, key)
		}
	}
	switch {
	case s.Attempts[SGTM].Accepted:
		return r
	case !s.Storefront.Active:
		r.Reason = ReasonStorefrontDisabled
		return r
	case s.SGTM != nil && s.SGTM.Active:
		attempts := s.Attempts[SGTM]
		if !s.SGTM.DirectOnExhausted || attempts.Made < p.MaxAttempts {
			r.FailsOver = s.SGTM.DirectOnExhausted
			r.add(SGTM, attempts, p)
			return r
		}
		r.Disabled = append(r.Disabled, Disabled{SGTM, ReasonExhausted})
	case s.SGTM != nil && s.SGTM.Stop:
		r.Reason = ReasonSGTMStop
		r.Disabled = []Disabled{{SGTM, ReasonSGTMStop}}
		return r
	case s.SGTM != nil:
		r.Disabled = append(r.Disabled, Disabled{SGTM, ReasonSGTMDisabled})
	}
	for _, pl := range slices.SortedFunc(slices.Values(s.Platforms), byCode) {
		if reason := pl.disabled(); reason != "" {
			r.Disabled = append(r.Disabled, Disabled{pl.Code, reason})
			continue
		}
		r.add(pl.Code, s.Attempts[pl.Code], p)
	}
	if len(r.Targets) == 0 && len(r.Accepted) == 0 {
		r.Reason = ReasonNoActiveDestination
	}
	return r
}

// ContainerUnhealthy returns the switches for an event that was not sent because the container is unhealthy: its attempts there count
// as used up.
func (s Switches) ContainerUnhealthy(p Policy) Switches {
	attempts := maps.Clone(s.Attempts)
	if attempts == nil {
		attempts = map[string]AttemptSummary{}
	}
	container := attempts[SGTM]
	container.Made = max(p.MaxAttempts, container.Made)
	attempts[SGTM] = container
	s.Attempts = attempts
	return s
}

func byCode(a, b PlatformSwitch) int { return cmp.Compare(a.Code, b.Code) }

func (r *Route) add(destination string, t AttemptSummary, p Policy) {
	if t.Accepted {
		return
	}
	target := Target{Destination: destination, Made: t.Made, Left: max(0, p.MaxAttempts-t.Made)}
	if target.Left == 0 {
		target.Cause, target.Status = t.Cause, t.Status
	}
	r.Targets = append(r.Targets, target)
}

// disabled returns the reason that disables a platform, or "".
func (p PlatformSwitch) disabled() Reason {
	switch {
	case !p.PlatformActive:
		return ReasonPlatformDisabled
	case !p.CredentialActive:
		return ReasonCredentialDisabled
	case !p.HasAdapter:
		return ReasonNoAdapter
	}
	return ""
}

// Target returns the route's target with this destination.
func (r Route) Target(destination string) (Target, bool) {
	i := slices.IndexFunc(r.Targets, func(l Target) bool { return l.Destination == destination })
	if i < 0 {
		return Target{}, false
	}
	return r.Targets[i], true
}

// BlockedBy returns the reason that keeps a destination off the route.
func (r Route) BlockedBy(destination string) Reason {
	for _, o := range r.Disabled {
		if o.Destination == destination {
			return o.Reason
		}
	}
	if r.Reason != "" {
		return r.Reason
	}
	return ReasonDestinationGone
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
