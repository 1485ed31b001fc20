package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"relay/internal/ops"
	"relay/internal/relay"
)

const deliverySQL = "SELECT " + switchColumns + `, e.status, e.run_id, e.event_id, e.event_type, e.event_payload, e.source_system, e.order_id,
	e.created_at, UTC_TIMESTAMP(6), c.sgtm_url, c.client_type, c.measurement_id, c.api_secret, c.custom_endpoint_path, c.custom_headers,
	c.options, ` + targetColumns + ", " + destinationColumns + switchTables + `
	LEFT JOIN ad_analytics_platforms p ON p.code = ?
	LEFT JOIN platform_credentials k ON k.storefront_id = s.id AND k.platform_id = p.id
	LEFT JOIN destination_health h ON h.storefront_id = s.id AND h.destination = ?
	WHERE e.id = ?`

// deliveryRow is one row of deliverySQL.
type deliveryRow struct {
	levels
	event   relay.Event
	status  relay.Status
	run     sql.NullString
	order   sql.NullString
	payload []byte

	sgtm   struct{ url, clientType, measurementID, secret, path, headers, options sql.NullString }
	target targetRow

	destinations
}

func (r *deliveryRow) dest() []any {
	row := append(r.levels.dest(), &r.status, &r.run, &r.event.EventID, &r.event.Type, &r.payload, &r.event.Source, &r.order,
		&r.event.CreatedAt, &r.event.Now, &r.sgtm.url, &r.sgtm.clientType, &r.sgtm.measurementID, &r.sgtm.secret, &r.sgtm.path,
		&r.sgtm.headers, &r.sgtm.options)
	return append(append(row, r.target.dest()...), r.destinations.dest()...)
}

// targetColumns are a platform, a storefront's credential there, and the health of a destination; targetRow reads them.
const targetColumns = `p.code, p.api_base_url, p.credential_fields, p.limits, k.credentials, k.options, h.failures, h.failing_since,
	h.unhealthy_since, h.reason, h.last_status, h.probes, h.probe_event_id`

type targetRow struct {
	code, baseURL, fields, limits, credentials, options sql.NullString

	failures, status, probes, event sql.NullInt64
	since, unhealthy                sql.NullTime
	reason                          sql.NullString
}

func (t *targetRow) dest() []any {
	return []any{&t.code, &t.baseURL, &t.fields, &t.limits, &t.credentials, &t.options,
		&t.failures, &t.since, &t.unhealthy, &t.reason, &t.status, &t.probes, &t.event}
}

func (t *targetRow) health() relay.Health {
	return relay.Health{
		Failures:   int(t.failures.Int64),
		Since:      t.since.Time,
		Unhealthy:  t.unhealthy.Valid,
		Reason:     relay.Reason(t.reason.String),
		Status:     int(t.status.Int64),
		Probes:     int(t.probes.Int64),
		ProbeEvent: t.event.Int64,
	}
}

// Delivery reads everything that one attempt at one destination needs. An event or storefront that does not exist is
// relay.ErrNotFound. If only the destination's secrets or options cannot be read, the error is relay.ErrUnreadable and the
// rest is filled in. A destination that is no longer configured has no Key.
func (s *Store) Delivery(ctx context.Context, id int64, run, destination string) (relay.Delivery, error) {
	op := fmt.Sprintf("read event %d for %s", id, destination)
	var r deliveryRow
	if err := s.notice(s.prepared.scan(ctx, r.dest(), deliverySQL, destination, destination, id)); err != nil {
		return relay.Delivery{}, wrap(op, err)
	}
	d, numbers, err := r.delivery(id, run)
	if err != nil || !d.Owned {
		return d, wrap(op, err)
	}
	d.LastNumber = numbers[destination]
	if destination == relay.SGTM {
		d.Destination, err = s.container(&r)
	} else {
		d.Destination, err = s.platform(&r.target)
	}
	return d, wrap(op, err)
}

// delivery returns the event and the destination's health from the row, without the destination itself, and the highest
// attempt number by destination.
func (r *deliveryRow) delivery(id int64, run string) (relay.Delivery, map[string]int, error) {
	d := relay.Delivery{
		Owned:      r.status == relay.StatusProcessing && r.run.String == run,
		Generation: r.generation,
		Switches:   r.switches(),
		Event:      r.event,
		Health:     r.target.health(),
	}
	d.Event.ID, d.Event.Storefront, d.Event.Order = id, d.Switches.Storefront, r.order.String
	d.Event.EventID, d.Event.Type = strings.TrimSpace(r.event.EventID), relay.FoldType(r.event.Type) // a twin keeps its own name
	d.Event.Payload, _ = relay.ParsePayload(r.payload)                                               // nil where it is none
	if !d.Owned {
		return d, nil, nil
	}
	numbers, err := r.addTo(&d.Switches, r.levels)
	if err != nil {
		return relay.Delivery{}, nil, err
	}
	return d, numbers, nil
}

// container is a storefront's sGTM container as a destination.
func (s *Store) container(r *deliveryRow) (relay.Destination, error) {
	if !r.levels.sgtm.Valid {
		return relay.Destination{}, nil
	}
	d := newDestination(relay.SGTM)
	setText(d.Settings, "sgtm_url", r.sgtm.url)
	setText(d.Settings, "client_type", r.sgtm.clientType)
	setText(d.Settings, "measurement_id", r.sgtm.measurementID)
	setText(d.Settings, "custom_endpoint_path", r.sgtm.path)
	if err := readOptions(r.sgtm.options.String, &d.Options); err != nil {
		return d, err
	}
	if r.sgtm.secret.String != "" {
		secret, err := s.keys.Decrypt(r.sgtm.secret.String)
		if err != nil {
			return d, fmt.Errorf("api_secret: %w", err)
		}
		d.Secrets["api_secret"] = secret
	}
	headers, err := s.openFields(r.sgtm.headers.String)
	if err != nil {
		return d, fmt.Errorf("custom_headers: %w", err)
	}
	for name, value := range headers {
		d.Secrets["header:"+name] = value
	}
	return d, nil
}

// platform is a platform for which the storefront has a credential as a destination.
func (s *Store) platform(r *targetRow) (relay.Destination, error) {
	if !r.credentials.Valid {
		return relay.Destination{}, nil
	}
	d := newDestination(r.code.String)
	setText(d.Settings, "api_base_url", r.baseURL)
	if err := readOptions(r.options.String, &d.Options); err != nil {
		return d, err
	}
	var limits relay.Limits
	if err := readOptions(r.limits.String, &limits); err != nil {
		return d, err
	}
	d.Options.Limits = d.Options.Limits.Or(limits)
	values, err := s.openFields(r.credentials.String)
	if err != nil {
		return d, fmt.Errorf("credentials: %w", err)
	}
	var known []ops.CredentialField
	_ = json.Unmarshal([]byte(r.fields.String), &known) // unreadable: all are secrets
	open := openNames(known)
	for name, value := range values {
		if open[name] {
			d.Settings[name] = value.Reveal()
		} else {
			d.Secrets[name] = value
		}
	}
	return d, nil
}

func newDestination(key string) relay.Destination {
	return relay.Destination{Key: key, Settings: map[string]string{}, Secrets: map[string]relay.Secret{}}
}

func setText(m map[string]string, key string, value sql.NullString) {
	if value.String != "" {
		m[key] = value.String
	}
}

// openNames returns the fields of a platform's credential that are not secret. A field that the catalogue does not list is
// secret.
func openNames(list []ops.CredentialField) map[string]bool {
	open := map[string]bool{}
	for _, f := range list {
		open[f.Field] = !f.Secret
	}
	return open
}

// readOptions returns an error for unreadable options: without them the relay might send fields that an admin forbids.
func readOptions(stored string, to any) error {
	if stored == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(stored), to); err != nil {
		return fmt.Errorf("options: %w", relay.ErrUnreadable)
	}
	return nil
}

// openFields decrypts a stored JSON object: encrypted as a whole, value by value, or not at all. Values other than strings
// keep their JSON text.
func (s *Store) openFields(stored string) (map[string]relay.Secret, error) {
	if stored == "" {
		return nil, nil
	}
	whole, err := s.keys.Decrypt(stored)
	if err != nil {
		return nil, err
	}
	var raw map[string]json.RawMessage
	if json.Unmarshal([]byte(whole.Reveal()), &raw) != nil {
		return nil, fmt.Errorf("%w: not a JSON object", relay.ErrUnreadable)
	}
	fields := make(map[string]relay.Secret, len(raw))
	for name, value := range raw {
		text := string(value)
		if text == "null" {
			continue
		}
		var s2 string
		if json.Unmarshal(value, &s2) == nil {
			text = s2
		}
		if fields[name], err = s.keys.Decrypt(text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return fields, nil
}
