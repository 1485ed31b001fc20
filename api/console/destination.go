package console

import "time"

// Destination is one configured destination of a storefront, as REST lists it.
type Destination struct {
	StorefrontID int64    `json:"storefront_id"`
	Storefront   string   `json:"storefront_code"`
	Key          string   `json:"destination"`
	Receives     bool     `json:"receives_events"`
	Reason       string   `json:"reason"`
	Switches     []Switch `json:"switches"`
	Health       Health   `json:"health"`
	Waiting      int      `json:"waiting"`
	Failed       int      `json:"failed"`
	Limits       struct {
		InFlight  int     `json:"in_flight"`
		PerSecond float64 `json:"per_second"`
	} `json:"limits"`
	History []AuditLine `json:"history"` // of one that was read alone
}

// Switch is one kill switch on a destination's way.
type Switch struct {
	ID    int64      `json:"id"`
	Level string     `json:"level"`
	On    bool       `json:"is_active"`
	By    string     `json:"switched_by"`
	At    *time.Time `json:"switched_at"`
}

// Health is how a destination fares.
type Health struct {
	State          string     `json:"state"`
	Reason         string     `json:"reason"`
	LastStatus     int        `json:"last_status"`
	Failures       int        `json:"failures"`
	FailingSince   *time.Time `json:"failing_since"`
	LastFailureAt  *time.Time `json:"last_failure_at"`
	LastAcceptedAt *time.Time `json:"last_accepted_at"`
	UnhealthySince *time.Time `json:"unhealthy_since"`
	Probes         int        `json:"probes"`
	LastProbeAt    *time.Time `json:"last_probe_at"`
	NextProbeAt    *time.Time `json:"next_probe_at"`
}

// rank orders by how ill a destination is.
func (h Health) rank() int { return map[string]int{"unhealthy": 2, "failing": 1}[h.State] }

// Ill reports whether a destination's attempts fail.
func (h Health) Ill() bool { return h.rank() > 0 }

type destinationList struct {
	Items      []Destination `json:"items"`
	NextCursor string        `json:"next_cursor"`
}
