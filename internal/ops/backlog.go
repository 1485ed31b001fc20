package ops

import "time"

// OpenEvents counts a storefront's events that have not ended: Pending ones wait for their delivery to start, the oldest since
// Oldest, which is zero without any; Processing ones are being delivered or wait for a retry.
type OpenEvents struct {
	StorefrontID        int64
	StorefrontCode      string // empty for events without a known storefront
	Pending, Processing int64
	Oldest              time.Time
}

// RetryBacklog counts the events that wait for a retry at a destination. Next is the time of the first retry.
type RetryBacklog struct {
	StorefrontID   int64
	StorefrontCode string
	Destination    string
	Events         int64
	Next           time.Time
}

// RetriesBound is the number of events in delivery that are looked at for RetryBacklog.
const RetriesBound = 10_000

// OpenReport is the present backlog: the storefronts that have any, in the order of their codes. More says that counting stopped
// at its bound.
type OpenReport struct {
	At          time.Time
	Storefronts []OpenEvents
	Unknown     OpenEvents // of events without a known storefront
	Retries     []RetryBacklog
	More        bool
}
