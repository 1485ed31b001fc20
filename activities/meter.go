package activities

import (
	"time"

	"relay/internal/relay"
)

// Meter counts events, attempts and their ends.
type Meter interface {
	// Claimed counts an event that PollInbox claimed.
	Claimed(s relay.PendingDelivery)
	// Attempted counts a request and the time that the destination took.
	Attempted(storefront, destination string, r relay.Result, took time.Duration)
	// Delivered counts an accepted delivery by the time since its event was accepted.
	Delivered(storefront, destination string, after time.Duration)
	// Ended counts the end of the delivery to a destination.
	Ended(storefront, destination string, o relay.Outcome)
	// Finished counts an event by its final status.
	Finished(s relay.Status, r relay.Reason)
}
