package cli

import (
	"maps"
	"slices"
	"strings"
)

// column is a column of a table: its heading, and the path of its value in an item.
type column struct{ heading, path string }

// columns reads "ID=id STATE=health.state".
func columns(text string) []column {
	var list []column
	for part := range strings.FieldsSeq(text) {
		heading, path, _ := strings.Cut(part, "=")
		list = append(list, column{strings.ReplaceAll(heading, "_", " "), path})
	}
	return list
}

// printItems prints a table of items. A column that is empty in every item is left out, if another one is not.
func (r *remote) printItems(list []column, items []any) error {
	heading, rows := []string{}, make([][]string, len(items))
	for _, c := range list {
		cells, filled := make([]string, len(items)), len(items) == 0
		for i, item := range items {
			cells[i] = text(at(item, c.path))
			filled = filled || cells[i] != ""
		}
		if !filled {
			continue
		}
		heading = append(heading, c.heading)
		for i := range items {
			rows[i] = append(rows[i], cells[i])
		}
	}
	return r.table(heading, rows)
}

// printDetails prints an object as lines of name and value, and each list of objects in it as a table below.
func (r *remote) printDetails(v any) error {
	var rows [][]string
	tables := map[string][]any{}
	flatten("", v, &rows, tables)
	if len(rows) > 0 {
		if err := r.table(rows[0], rows[1:]); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		if err := r.printf("\n%s:\n", name); err != nil {
			return err
		}
		if err := r.printItems(allColumns(tables[name]), shortened(tables[name])); err != nil {
			return err
		}
	}
	return nil
}

// maxCell bounds a cell of a table whose columns follow from the response.
const maxCell = 60

// shortened are objects with long values cut: --json has them whole.
func shortened(items []any) []any {
	list := make([]any, len(items))
	for i, item := range items {
		one := object{}
		members, _ := item.(object)
		for _, m := range members {
			t := []rune(text(m.value))
			if len(t) > maxCell {
				m.value = string(t[:maxCell]) + "..."
			}
			one = append(one, m)
		}
		list[i] = one
	}
	return list
}

// flatten collects what printDetails prints.
func flatten(path string, v any, rows *[][]string, tables map[string][]any) {
	switch value := v.(type) {
	case object:
		for _, m := range value {
			flatten(strings.TrimPrefix(path+"."+m.name, "."), m.value, rows, tables)
		}
	case []any:
		if len(value) > 0 && !simple(value) {
			tables[path] = value
			return
		}
		if len(value) > 0 {
			*rows = append(*rows, []string{path, text(value)})
		}
	default:
		if t := text(value); t != "" {
			*rows = append(*rows, []string{path, t})
		}
	}
}

// allColumns are columns for all members of some objects that fit a cell, in the order of their first appearance.
func allColumns(items []any) []column {
	var list []column
	for _, item := range items {
		o, _ := item.(object)
		for _, m := range o {
			c := column{strings.ToUpper(strings.ReplaceAll(m.name, "_", " ")), m.name}
			if !slices.Contains(list, c) {
				list = append(list, c)
			}
		}
	}
	return list
}
