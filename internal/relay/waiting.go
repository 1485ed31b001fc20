package relay

import "time"

// WaitsFor is what an event waits for before its next attempt. It is part of the API.
type WaitsFor string

// What an event may wait for.
const (
	WaitsForRetry      WaitsFor = "retry"      // the time of its next attempt, after one that failed
	WaitsForLimit      WaitsFor = "limit"      // its turn, at a destination with a limit or one that asked for fewer requests
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

// WaitsFor is what an event waits for whose attempt ended with this reason and could not be sent.
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
