package ops

import (
	"time"

	"relay/internal/relay"
)

// Bounds of the counts in a list of destinations.
const (
	WaitingBound = 1_000  // events of a storefront in flight that are looked at
	FailedBound  = 10_000 // failed events that are looked at, the newest ones
)

// DestinationQuery asks for one page of the configured destinations, in the order of the storefronts' ids and then of the
// destinations' keys. Zero fields ask for everything.
type DestinationQuery struct {
	StorefrontID int64
	Storefront   string // its code
	Destination  string
	Health       relay.HealthState
	Issue        DestinationIssue
	Adapters     []string // for IssueQuiet: the destinations that the relay speaks to
	After        *relay.Place
	Limit        int
	// Storefronts, if not 0, is the size of a page in storefronts, each with all that match; Limit does not count then.
	// AfterStorefront is the last one of the page before.
	Storefronts     int
	AfterStorefront int64
}

// DestinationIssue picks destinations that need a look.
type DestinationIssue string

// The issues. An ill destination is failing or unhealthy. A kill switch keeps events from one that is off. A quiet one gets
// events, and has accepted none for QuietAfter.
const (
	IssueIll       DestinationIssue = "ill"
	IssueUnhealthy DestinationIssue = "unhealthy"
	IssueFailing   DestinationIssue = "failing"
	IssueOff       DestinationIssue = "off"
	IssueQuiet     DestinationIssue = "quiet"
)

// QuietAfter is the time without a delivery after which a destination is quiet.
const QuietAfter = 24 * time.Hour

// InFlight counts a storefront's events in delivery, as far as WaitingBound, and those of them whose delivery has ended, by
// destination.
type InFlight struct {
	Events int
	Ended  map[string]int
}

// At counts the events whose delivery to a destination has not ended.
func (f InFlight) At(destination string) int { return max(0, f.Events-f.Ended[destination]) }

// DestinationStatus is one configured destination of a storefront: its container, or a platform that it has a credential at.
type DestinationStatus struct {
	relay.Place
	StorefrontCode string
	// Switches are the four levels, of this destination alone. HasAdapter is for the caller to fill.
	Switches relay.Switches
	// Levels are the kill switches that the destination has, each with its last change.
	Levels []LevelStatus

	Health         relay.Health
	UnhealthySince time.Time // zero for one that is not
	FailedAt       time.Time // the latest failure
	ProbedAt       time.Time // the latest probe
	NextProbe      time.Time // of an unhealthy one
	LastAttempts   LastAttempts
	ReplayID       int64 // the newest open replay of this destination's events; 0 is none
	Limits         relay.Limits
	Waiting        int // events in flight whose delivery here has not ended, counted as far as WaitingBound
	Failed         int // events that a recovery will send again, among the newest FailedBound
}

// LevelStatus is one kill switch of a destination.
type LevelStatus struct {
	Level        string
	EntityID     int64
	Active       bool
	SwitchChange SwitchChange
}

// Receives reports whether the destination gets its storefront's events, and the reason where it does not, or gets only some.
func (d DestinationStatus) Receives() (bool, relay.Reason) {
	route := relay.Resolve(d.Switches, relay.Policy{MaxAttempts: 1})
	if _, on := route.Target(d.Destination); on {
		return true, ""
	}
	sgtm := d.Switches.SGTM
	if d.Destination == relay.SGTM || sgtm == nil || !sgtm.Active || !d.Switches.Storefront.Active {
		return false, route.BlockedBy(d.Destination)
	}
	// Behind a container: evaluate the switches without it.
	behind := d.Switches
	behind.SGTM = nil
	if route = relay.Resolve(behind, relay.Policy{MaxAttempts: 1}); len(route.Targets) == 0 {
		return false, route.BlockedBy(d.Destination)
	}
	return sgtm.DirectOnExhausted, relay.ReasonBehindContainer
}
