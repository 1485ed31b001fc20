package db

import "strings"

// caseUpdate updates several rows with one UPDATE, each with its own values: column = ELT(FIELD(key, keys...), values...).
type caseUpdate struct {
	column string // unique in the update
	key    []any
	values [][]any // by column
}

func newCaseUpdate(column string, n int) *caseUpdate {
	return &caseUpdate{column: column, key: make([]any, 0, n)}
}

// add adds a row, with a value for each column of set. A key may occur only once.
func (p *caseUpdate) add(key any, values ...any) {
	p.key = append(p.key, key)
	if p.values == nil {
		p.values = make([][]any, len(values))
	}
	for i, v := range values {
		p.values[i] = append(p.values[i], v)
	}
}

// value returns the expression of the next column's value.
func (p *caseUpdate) value() string {
	return "ELT(FIELD(" + p.column + "," + p.keys() + ")," + tuples("?", len(p.key)) + ")"
}

// set assigns all columns, in their order. Its arguments are setArgs.
func (p *caseUpdate) set(columns ...string) string {
	assignments := make([]string, len(columns))
	for i, c := range columns {
		assignments[i] = c + " = " + p.value()
	}
	return strings.Join(assignments, ", ")
}

// keys returns the placeholders of all keys.
func (p *caseUpdate) keys() string { return tuples("?", len(p.key)) }

// setArgs returns the arguments of set.
func (p *caseUpdate) setArgs() []any {
	var args []any
	for _, values := range p.values {
		args = append(append(args, p.key...), values...)
	}
	return args
}

// args returns the arguments of set, followed by those of keys.
func (p *caseUpdate) args() []any { return append(p.setArgs(), p.key...) }
