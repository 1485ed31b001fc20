package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"relay/internal/relay"
)

// switchColumns are the upper two levels of the kill-switch hierarchy for one event; levels reads them.
const switchColumns = `e.generation, e.resend, s.id, s.storefront_id, s.name, s.is_active, s.currency, s.phone_region, s.base_url,
	s.use_payload_event_id, s.data_policy, s.require_consent, c.is_active, c.fallback, c.on_exhausted`

const switchTables = ` FROM marketing_events e JOIN storefronts s ON s.id = e.storefront_id
	LEFT JOIN storefront_sgtm_config c ON c.storefront_id = s.id `

const switchesSQL = "SELECT " + switchColumns + ", " + destinationColumns + switchTables + "WHERE e.id = ?"

// What storefront_sgtm_config holds in fallback and on_exhausted, besides the defaults 'direct' and 'fail'.
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
	s := relay.Switches{Storefront: l.storefront, Tries: map[string]relay.Tries{}}
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

// Switches reads the four levels of the kill-switch hierarchy as they stand for an event, and the tries made so far.
// HasAdapter is for the caller to fill. An event or storefront that is gone is relay.ErrNotFound.
func (s *Store) Switches(ctx context.Context, id int64) (relay.Switches, error) {
	act := fmt.Sprintf("read the switches for event %d", id)
	var l levels
	var d destinations
	if err := s.notice(s.lane.scan(ctx, append(l.dest(), d.dest()...), switchesSQL, id)); err != nil {
		return relay.Switches{}, fail(act, err)
	}
	switches := l.switches()
	_, err := d.addTo(&switches, l)
	return switches, fail(act, err)
}

// destinationColumns are, for the row of an event, the lower two levels for all platforms of its storefront, and all of its
// attempts: a few of each, and as columns of the row they cost no round trip of their own. The collation is spelled out because
// the tables may be the earlier service's, each with its own.
const destinationColumns = `(SELECT JSON_ARRAYAGG(JSON_ARRAY(CONVERT(p.code USING utf8mb4) COLLATE utf8mb4_bin, p.is_active, k.is_active))
	FROM platform_credentials k JOIN ad_analytics_platforms p ON p.id = k.platform_id WHERE k.storefront_id = s.id AND p.code IS NOT NULL),
	(SELECT JSON_ARRAYAGG(JSON_ARRAY(CONVERT(a.destination USING utf8mb4) COLLATE utf8mb4_bin, a.generation, a.number, a.outcome, a.reason, a.response_status))
	FROM event_attempts a WHERE a.marketing_event_id = e.id AND a.destination IS NOT NULL)`

// destinations is what destinationColumns read.
type destinations struct{ platforms, attempts []byte }

func (d *destinations) dest() []any { return []any{&d.platforms, &d.attempts} }

// addTo fills in the lower two levels and the tries, and gives the highest attempt number by destination. A try counts that may
// have left: one with a number, unless it turned out to have been kept back by our own trouble. Where an event is to be sent
// again to a destination that has it (resend), what was accepted in earlier generations does not count.
func (d *destinations) addTo(to *relay.Switches, l levels) (map[string]int, error) {
	var platforms []platformColumn
	var attempts []attemptColumn
	if err := errors.Join(unmarshalNull(d.platforms, &platforms), unmarshalNull(d.attempts, &attempts)); err != nil {
		return nil, fmt.Errorf("read what the database has gathered: %w", err)
	}
	for _, p := range platforms {
		to.Platforms = append(to.Platforms, relay.PlatformSwitch{Code: p.code, PlatformActive: p.active != 0, CredentialActive: p.credential != 0})
	}
	resend := resends(l.resend.String)
	numbers := map[string]int{}
	for _, a := range attempts {
		tries := to.Tries[a.destination]
		if a.generation == l.generation && a.number > 0 && a.outcome != relay.NotSent {
			tries.Made++
		}
		tries.Accepted = tries.Accepted || a.outcome == relay.Accepted && a.generation >= resend[a.destination]
		to.Tries[a.destination] = tries
		if a.number > 0 && a.number >= numbers[a.destination] {
			tries := to.Tries[a.destination]
			tries.Cause, tries.Status = a.reason, a.status
			to.Tries[a.destination] = tries
		}
		numbers[a.destination] = max(numbers[a.destination], a.number)
	}
	return numbers, nil
}

type platformColumn struct {
	code               string
	active, credential int
}

// UnmarshalJSON reads an array, as destinationColumns make it.
func (p *platformColumn) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &[]any{&p.code, &p.active, &p.credential})
}

type attemptColumn struct {
	destination        string
	generation, number int
	outcome            relay.Outcome
	reason             relay.Reason
	status             int
}

// UnmarshalJSON reads an array, as destinationColumns make it.
func (a *attemptColumn) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &[]any{&a.destination, &a.generation, &a.number, &a.outcome, &a.reason, &a.status})
}

// unmarshalNull leaves what it would fill empty where the column is NULL: nothing was there to gather.
func unmarshalNull(column []byte, into any) error {
	if column == nil {
		return nil
	}
	return json.Unmarshal(column, into)
}
