package db

import "strings"

// condition is a conjunction of SQL terms with its arguments, for raw queries and for bun's Where.
type condition struct {
	terms []string
	args  []any
}

func (c *condition) and(term string, args ...any) {
	c.terms = append(c.terms, term)
	c.args = append(c.args, args...)
}

// equal adds a comparison unless the value is zero.
func (c *condition) equal(column string, value any) {
	if value != "" && value != int64(0) {
		c.and(column+" = ?", value)
	}
}

// contains adds a search for a text in any of some columns. LOWER, because codes compare by bytes.
func (c *condition) contains(text string, columns ...string) {
	if text == "" {
		return
	}
	var terms []string
	pattern := "%" + escapeLike(text) + "%"
	for _, column := range columns {
		terms = append(terms, "LOWER("+column+") LIKE LOWER(?)")
		c.args = append(c.args, pattern)
	}
	c.terms = append(c.terms, "("+strings.Join(terms, " OR ")+")")
}

func (c condition) String() string {
	if len(c.terms) == 0 {
		return "1 = 1"
	}
	return strings.Join(c.terms, " AND ")
}

// plus returns both conditions; neither is changed.
func (c condition) plus(other condition) condition {
	return condition{append(c.terms[:len(c.terms):len(c.terms)], other.terms...), append(c.args[:len(c.args):len(c.args)], other.args...)}
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

func escapeLike(s string) string { return likeEscaper.Replace(s) }
