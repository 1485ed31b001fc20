package db

import "strings"

// picks writes into several rows with one UPDATE, into each its own values: column = ELT(FIELD(key, keys...), values...).
type picks struct {
	column string // that tells the rows apart
	key    []any
	values [][]any // by column
}

func newPicks(column string, n int) *picks { return &picks{column: column, key: make([]any, 0, n)} }

// add adds a row, with a value for each of the columns of set. A key may come once only.
func (p *picks) add(key any, values ...any) {
	p.key = append(p.key, key)
	if p.values == nil {
		p.values = make([][]any, len(values))
	}
	for i, v := range values {
		p.values[i] = append(p.values[i], v)
	}
}

// pick is the value of one column for the row that an UPDATE is at.
func (p *picks) pick() string {
	return "ELT(FIELD(" + p.column + "," + p.keys() + ")," + tuples("?", len(p.key)) + ")"
}

// set assigns all columns, in their order. Its arguments are args, as far as the keys of the WHERE.
func (p *picks) set(columns ...string) string {
	assignments := make([]string, len(columns))
	for i, c := range columns {
		assignments[i] = c + " = " + p.pick()
	}
	return strings.Join(assignments, ", ")
}

// keys are the placeholders of all keys.
func (p *picks) keys() string { return tuples("?", len(p.key)) }

// args are those of set, and then of keys.
func (p *picks) args() []any {
	var args []any
	for _, values := range p.values {
		args = append(append(args, p.key...), values...)
	}
	return append(args, p.key...)
}
