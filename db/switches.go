package db

import (
	"context"
	"database/sql"
	"fmt"

	"relay"
)

// switchColumns are the upper two levels of the kill-switch hierarchy for one event; levels reads them.
const switchColumns = `e.generation, e.resend, s.id, s.storefront_id, s.name, s.is_active, s.currency, s.phone_region, s.base_url,
	s.use_payload_event_id, c.is_active, c.fallback, c.on_exhausted`

const switchTables = ` FROM marketing_events e JOIN storefronts s ON s.id = e.storefront_id
	LEFT JOIN storefront_sgtm_config c ON c.storefront_id = s.id `

const switchesSQL = "SELECT " + switchColumns + switchTables + "WHERE e.id = ?"

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
		&s.SendsPayloadEventID, &l.sgtm, &l.fallback, &l.onExhausted}
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
	var l levels
	statement, err := s.lane.statement(ctx, switchesSQL)
	if err != nil {
		return relay.Switches{}, fail(fmt.Sprintf("read the switches for event %d", id), err)
	}
	err = statement.QueryRowContext(ctx, id).Scan(l.dest()...)
	if err != nil {
		return relay.Switches{}, fail(fmt.Sprintf("read the switches for event %d", id), err)
	}
	switches := l.switches()
	_, err = s.addDestinations(ctx, id, l, &switches)
	return switches, fail(fmt.Sprintf("read the switches for event %d", id), err)
}

// destinationsSQL are, in one round trip, the platforms of a storefront and what each destination has seen of the event. A
// try counts that may have left: one with a number, unless it turned out to have been kept back by our own trouble. The
// collation is spelled out because the tables may be the earlier service's, each with its own.
const destinationsSQL = `SELECT CONVERT(p.code USING utf8mb4) COLLATE utf8mb4_bin, p.is_active, k.is_active, NULL, NULL, NULL
	FROM platform_credentials k JOIN ad_analytics_platforms p ON p.id = k.platform_id WHERE k.storefront_id = ? AND p.code IS NOT NULL
	UNION ALL
	SELECT CONVERT(a.destination USING utf8mb4) COLLATE utf8mb4_bin, NULL, NULL,
	SUM(CASE WHEN a.generation = ? AND a.number > 0 AND a.outcome <> 'not_sent' THEN 1 ELSE 0 END),
	MAX(CASE WHEN a.outcome = 'accepted' THEN a.generation END), MAX(a.number)
	FROM event_attempts a WHERE a.marketing_event_id = ? AND a.destination IS NOT NULL GROUP BY a.destination`

// addDestinations fills in the lower two levels and the tries, and gives the highest attempt number by destination. Where an
// event is to be sent again to a destination that has it (resend), what was accepted in earlier generations does not count.
func (s *Store) addDestinations(ctx context.Context, id int64, l levels, to *relay.Switches) (map[string]int, error) {
	resend := resends(l.resend.String)
	statement, err := s.lane.statement(ctx, destinationsSQL)
	if err != nil {
		return nil, err
	}
	rows, err := statement.QueryContext(ctx, to.Storefront.ID, l.generation, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	numbers := map[string]int{}
	for rows.Next() {
		var key string
		var platform, credential sql.NullBool
		var made, accepted, number sql.NullInt64 // accepted is the last generation in which it was
		if err := rows.Scan(&key, &platform, &credential, &made, &accepted, &number); err != nil {
			return nil, err
		}
		if platform.Valid {
			to.Platforms = append(to.Platforms, relay.PlatformSwitch{Code: key, PlatformActive: platform.Bool, CredentialActive: credential.Bool})
			continue
		}
		to.Tries[key] = relay.Tries{Made: int(made.Int64), Accepted: accepted.Valid && int(accepted.Int64) >= resend[key]}
		numbers[key] = int(number.Int64)
	}
	return numbers, rows.Err()
}
