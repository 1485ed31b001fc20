package db

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"relay/internal/relay"
)

// corrections bring the rows of an earlier release to this one's catalogue. The column seeded holds the entry from which a row was
// written. A field that has still its seeded value gets the present one; a field that an admin has changed stays. Every step can be
// run again after a kill: a field with the present value is not touched.
type corrections struct {
	store  *Store
	q      querier
	report *Report
	seeded map[string]string         // by code; "" of a release that did not record it
	former map[string]catalogueEntry // of those releases
}

func (s *Store) newCorrections(ctx context.Context, q querier, r *Report) (*corrections, error) {
	c := &corrections{store: s, q: q, report: r, seeded: map[string]string{}, former: map[string]catalogueEntry{}}
	list, err := readCatalogue(formerFile)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		c.former[e.Code] = e
	}
	rows, err := q.QueryContext(ctx, "SELECT code, COALESCE(seeded, '') FROM ad_analytics_platforms WHERE code IS NOT NULL")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var code, entry string
		if err := rows.Scan(&code, &entry); err != nil {
			return nil, err
		}
		c.seeded[code] = entry
	}
	return c, rows.Err()
}

// base is the entry from which the row of e was seeded.
func (c *corrections) base(e catalogueEntry) catalogueEntry {
	var base catalogueEntry
	if json.Unmarshal([]byte(c.seeded[e.Code]), &base) == nil && base.Code == e.Code {
		return base
	}
	if f, ok := c.former[e.Code]; ok {
		return f
	}
	e.Limits = relay.Limits{} // an earlier release had none
	return e
}

// correct updates the fields of a row that are still as they were seeded.
func (c *corrections) correct(ctx context.Context, row platformRow, e catalogueEntry) error {
	was, have, now := c.base(e).row(), row.reread(c.store), e.row()
	var changed, left []string
	for _, f := range c.store.Platforms().schema().Fields {
		column, value := f.Name, fieldText(f, &now)
		switch had := fieldText(f, &have); {
		case f.StructField.Tag.Get("audit") == "-" || column == "is_active" || value == fieldText(f, &was) || value == had:
		case had == fieldText(f, &was):
			changed = append(changed, column)
			f.Value(reflect.ValueOf(&have).Elem()).Set(f.Value(reflect.ValueOf(&now).Elem()))
		default:
			left = append(left, column)
		}
	}
	if len(left) > 0 {
		c.report.Left = append(c.report.Left, e.Code+": "+strings.Join(left, ", "))
	}
	if len(changed) == 0 {
		return nil
	}
	// An admin may change the row meanwhile; then the next Up corrects it.
	res, err := c.store.bun.NewUpdate().Conn(c.q).Model(&have).Column(append(slices.Clone(changed), "updated_at")...).
		Value("updated_at", "UTC_TIMESTAMP(6)").Where("id = ? AND updated_at <=> ?", row.ID, bun.NullTime{Time: row.UpdatedAt}).Exec(ctx)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if n == 0 {
		delete(c.seeded, e.Code) // so that it is not recorded
		return err
	}
	c.report.Corrected = append(c.report.Corrected, e.Code+": "+strings.Join(changed, ", "))
	return err
}

// reread returns a row as its value would be written. What cannot be read stays as it is.
func (r *platformRow) reread(s *Store) platformRow {
	again := *r
	v := r.value(s)
	again.fill(v)
	if v.Limits == (relay.Limits{}) {
		again.Limits = r.Limits
	}
	if v.Fields == nil {
		again.Fields = r.Fields
	}
	return again
}

// record writes the entries into seeded, in one statement.
func (c *corrections) record(ctx context.Context, catalogue []catalogueEntry) error {
	var whens, codes []any
	for _, e := range catalogue {
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if seeded, known := c.seeded[e.Code]; known && seeded != string(text) {
			whens, codes = append(whens, e.Code, string(text)), append(codes, e.Code)
		}
	}
	if len(codes) == 0 {
		return nil
	}
	_, err := c.q.ExecContext(ctx, "UPDATE ad_analytics_platforms SET seeded = CASE code "+strings.Repeat("WHEN ? THEN ? ", len(codes))+
		"END WHERE code IN ("+tuples("?", len(codes))+")", slices.Concat(whens, codes)...)
	return err
}
