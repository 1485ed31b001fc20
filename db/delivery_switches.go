package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"relay/internal/relay"
)

// switchColumns are the upper two levels of the kill-switch hierarchy for one event; levels reads them.
const switchColumns = `e.generation, e.resend, s.id, s.storefront_id, s.name, s.is_active, s.currency, s.phone_region, s.base_url,
	s.use_payload_event_id, s.data_policy, s.require_consent, c.is_active, c.fallback, c.on_exhausted`

const switchTables = ` FROM marketing_events e JOIN storefronts s ON s.id = e.storefront_id
	LEFT JOIN storefront_sgtm_config c ON c.storefront_id = s.id `

const switchesSQL = "SELECT " + switchColumns + ", " + destinationColumns + switchTables + "WHERE e.id = ?"

// Values of storefront_sgtm_config in fallback and on_exhausted, besides the defaults 'direct' and 'fail'.
const (
	fallbackStop    = "stop"
	exhaustedDirect = "direct"
)

type levels struct {
	generation            int
	resend                sql.NullString
	storefront            relay.Storefront
	name, baseURL         sql.NullString
	sgtm                  sql.NullBool
	fallback, onExhausted sql.NullString
}

func (l *levels) dest() []any {
	s := &l.storefront
	return []any{&l.generation, &l.resend, &s.ID, &s.Code, &l.name, &s.Active, &s.Currency, &s.PhoneRegion, &l.baseURL,
		&s.SendsPayloadEventID, &s.DataPolicy, &s.RequireConsent, &l.sgtm, &l.fallback, &l.onExhausted}
}

func (l *levels) switches() relay.Switches {
	s := relay.Switches{Storefront: l.storefront, Attempts: map[string]relay.AttemptSummary{}}
	s.Storefront.Name, s.Storefront.BaseURL = l.name.String, l.baseURL.String
	if l.sgtm.Valid {
		s.SGTM = &relay.SGTMSwitch{
			Active:            l.sgtm.Bool,
			Stop:              l.fallback.String == fallbackStop,
			DirectOnExhausted: l.onExhausted.String == exhaustedDirect,
		}
	}
	return s
}

// Switches reads the present four levels of the kill-switch hierarchy for an event, and the attempts made so far. The caller
// fills in HasAdapter. An event or storefront that does not exist is relay.ErrNotFound.
func (s *Store) Switches(ctx context.Context, id int64) (relay.Switches, error) {
	op := fmt.Sprintf("read the switches for event %d", id)
	var l levels
	var d destinations
	if err := s.notice(s.prepared.scan(ctx, append(l.dest(), d.dest()...), switchesSQL, id)); err != nil {
		return relay.Switches{}, wrap(op, err)
	}
	switches := l.switches()
	_, err := d.addTo(&switches, l)
	return switches, wrap(op, err)
}

// destinationColumns are, for the row of an event, the lower two levels for all platforms of its storefront, and all of its
// attempts. There are a few of each; as columns of the row they need no round trips of their own. The collation is spelled
// out because the tables may be those of the earlier service, each with its own.
const destinationColumns = `(SELECT JSON_ARRAYAGG(JSON_ARRAY(CONVERT(p.code USING utf8mb4) COLLATE utf8mb4_bin, p.is_active, k.is_active))
	FROM platform_credentials k JOIN ad_analytics_platforms p ON p.id = k.platform_id WHERE k.storefront_id = s.id AND p.code IS NOT NULL),
	(SELECT JSON_ARRAYAGG(JSON_ARRAY(CONVERT(a.destination USING utf8mb4) COLLATE utf8mb4_bin, a.generation, a.number, a.outcome, a.reason, a.response_status,
		TIMESTAMPDIFF(MICROSECOND, a.started_at, UTC_TIMESTAMP(6))))
	FROM event_attempts a WHERE a.marketing_event_id = e.id AND a.destination IS NOT NULL)`

// destinations holds the values of destinationColumns.
type destinations struct{ platforms, attempts []byte }

func (d *destinations) dest() []any { return []any{&d.platforms, &d.attempts} }

// addTo fills in the lower two levels and the attempts, and returns the highest attempt number by destination. It counts
// attempts that may have been sent: those with a number, unless a problem of the relay's own prevented the send. If an event is to be sent
// again to a destination that has it (resend), accepted attempts of earlier generations do not count.
func (d *destinations) addTo(to *relay.Switches, l levels) (map[string]int, error) {
	var platforms []platformColumn
	var attempts []attemptColumn
	if err := errors.Join(unmarshalNull(d.platforms, &platforms), unmarshalNull(d.attempts, &attempts)); err != nil {
		return nil, fmt.Errorf("parse the aggregated rows: %w", err)
	}
	for _, p := range platforms {
		to.Platforms = append(to.Platforms, relay.PlatformSwitch{Code: p.code, PlatformActive: p.active != 0, CredentialActive: p.credential != 0})
	}
	resend := resends(l.resend.String)
	numbers := map[string]int{}
	for _, a := range attempts {
		summary := to.Attempts[a.destination]
		counts := a.generation == l.generation && a.number > 0 && a.outcome != relay.NotSent
		if counts {
			summary.Made++
		}
		summary.Accepted = summary.Accepted || a.outcome == relay.Accepted && a.generation >= resend[a.destination]
		if a.number > 0 && a.number >= numbers[a.destination] {
			summary.Cause, summary.Status = a.reason, a.status
			if counts {
				summary.Last, summary.Age = a.outcome, max(0, time.Duration(a.age)*time.Microsecond)
			}
		}
		to.Attempts[a.destination] = summary
		numbers[a.destination] = max(numbers[a.destination], a.number)
	}
	return numbers, nil
}

type platformColumn struct {
	code               string
	active, credential int
}

// UnmarshalJSON reads an array of destinationColumns.
func (p *platformColumn) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &[]any{&p.code, &p.active, &p.credential})
}

type attemptColumn struct {
	destination        string
	generation, number int
	outcome            relay.Outcome
	reason             relay.Reason
	status             int
	age                int64 // microseconds since it began
}

// UnmarshalJSON reads an array of destinationColumns.
func (a *attemptColumn) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &[]any{&a.destination, &a.generation, &a.number, &a.outcome, &a.reason, &a.status, &a.age})
}

// unmarshalNull leaves the target empty if the column is NULL: there were no rows to aggregate.
func unmarshalNull(column []byte, into any) error {
	if column == nil {
		return nil
	}
	return json.Unmarshal(column, into)
}
