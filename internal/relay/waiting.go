package relay

import "time"

// WaitsFor names the condition that an event waits for before its next attempt. It is part of the API.
type WaitsFor string

// The conditions.
const (
	WaitsForRetry      WaitsFor = "retry"      // the time of its next attempt, after one that failed
	WaitsForLimit      WaitsFor = "limit"      // its turn at a destination with a limit, or with a rate limit in force
	WaitsForCredential WaitsFor = "credential" // a credential that decrypts
	WaitsForDatabase   WaitsFor = "database"   // the relay's database
)

// Waiting is the wait of an event for its next attempt at one destination. The zero value is no wait: none will follow.
type Waiting struct {
	For   WaitsFor
	After time.Duration // from now on
	// InFlight keeps the event among those that count as in flight for its storefront.
	InFlight bool
}

// WaitsFor returns the condition that an event waits for after an attempt that ended with this reason.
func (r Reason) WaitsFor() WaitsFor {
	switch r {
	case ReasonLimited:
		return WaitsForLimit
	case ReasonCredentialUnreadable:
		return WaitsForCredential
	case ReasonDatabaseUnavailable:
		return WaitsForDatabase
	}
	return WaitsForRetry
}
