package cli

import (
	"cmp"
	"net/http"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
)

// row is one command of the table: what it is called, the operation of the API behind it, and how its response is printed.
type row struct {
	use    string // "storefronts list"; arguments follow from ref and args
	short  string
	id     string // of the operation in the OpenAPI document
	method string
	path   string // {id} is found by ref; any other {name} is an argument

	ref     *ref
	args    []string // further arguments, in the order of the path: STOREFRONT is completed by its name
	flags   []param
	body    reflect.Type
	secrets []string // fields of the body with secrets, beside those that the API only writes
	parts   string   // the one of them whose members have names of their own

	write   bool   // takes --note
	guarded bool   // sends If-Match
	ask     string // before it is done
	columns string // of a list; "" prints details
	items   string // where the list is; "items" if empty
	show    func(*remote, any) error
	fails   func(any) error // of a response that is a success for the API
	shows   bool            // print the response of an error, too
}

// param is a query parameter and its flag.
type param struct {
	flag, name, doc string
	kind            paramKind
	names           string // what completes it
}

type paramKind int

const (
	textParam paramKind = iota
	timeParam           // a time, or how long ago
	boolParam           // a flag without a value
)

// addTable adds the commands of the table: a row with one word is a command of its own, the others are below their first word.
func (s *surroundings) addTable(root *cobra.Command) {
	for _, w := range rows {
		words := strings.Fields(w.use)
		parent := root
		for i, word := range words[:len(words)-1] {
			parent = child(parent, word, nouns[strings.Join(words[:i+1], " ")])
		}
		c := s.rowCommand(w, words[len(words)-1])
		if parent == root {
			c.GroupID = nouns[w.use].group
		}
		parent.AddCommand(c)
	}
}

// child returns the command of this name below another, and makes it if it is not there.
func child(parent *cobra.Command, name string, n noun) *cobra.Command {
	for _, c := range parent.Commands() {
		if c.Name() == name {
			return c
		}
	}
	c := Group(name, n.short)
	if !parent.HasParent() {
		c.GroupID = n.group
	}
	parent.AddCommand(c)
	return c
}

// call is one use of a row.
type call struct {
	row     row
	query   map[string]*string
	flags   map[string]*bool
	body    bodyFlags
	ifMatch string
	limit   int
	yes     bool
}

func (s *surroundings) rowCommand(w row, name string) *cobra.Command {
	in := call{row: w, query: map[string]*string{}, flags: map[string]*bool{}}
	command := s.remoteCommand
	if w.write {
		command = s.writeCommand
	}
	c := command(w.usage(name), w.short, w.checkArgs, func(c *cobra.Command, r *remote, args []string) error {
		return in.run(c, r, args)
	})
	c.ValidArgsFunction = s.completeArgs(w)
	in.addFlags(c)
	uses(c, w.id)
	c.Annotations[columnsKey], c.Annotations[itemsKey] = w.columns, cmp.Or(w.items, "items")
	return c
}

// usage is the command with the names of its arguments.
func (w row) usage(name string) string {
	if w.ref != nil {
		name += " " + strings.Join(w.ref.args, " ")
	}
	return strings.TrimSpace(name + " " + strings.Join(w.args, " "))
}

func (w row) checkArgs(c *cobra.Command, args []string) error {
	if w.ref != nil {
		return w.ref.check(args)
	}
	if len(args) != len(w.args) {
		return usagef("%s needs %d arguments: %s", c.CommandPath(), len(w.args), c.UseLine())
	}
	return nil
}

func (in *call) addFlags(c *cobra.Command) {
	w := in.row
	for _, p := range w.flags {
		if p.kind == boolParam {
			in.flags[p.name] = c.Flags().Bool(p.flag, false, p.doc)
		} else {
			in.query[p.name] = c.Flags().String(p.flag, "", p.doc)
		}
		describe(c, p.flag, p.name, p.names)
	}
	if w.columns != "" && w.pages() {
		c.Flags().IntVar(&in.limit, "limit", 50, "how many at most; 0 is all")
		describe(c, "limit", "limit", "")
	}
	if w.guarded {
		c.Flags().StringVar(&in.ifMatch, "if-match", "", "the ETag on which this is based; by default that of now, * is any")
	}
	if w.ask != "" {
		c.Flags().BoolVar(&in.yes, "yes", false, "do not ask")
	}
	if w.body != nil {
		in.body = bodyFlags{fields: fieldsOf(w.body, w.secrets), parts: w.parts}
		in.body.add(c)
	}
}

// Annotations of commands: the columns of a table, and where its list is.
const (
	columnsKey = "columns"
	itemsKey   = "items"
)

// Annotations of flags.
const (
	paramKey = "param" // the query parameter
	namesKey = "names" // what completes it
)

// describe notes the query parameter of a flag, and what completes it.
func describe(c *cobra.Command, flag, param, names string) {
	f := c.Flags().Lookup(flag)
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[paramKey] = []string{param}
	if names != "" {
		f.Annotations[namesKey] = []string{names}
	}
}

// pages reports whether the list comes in pages.
func (w row) pages() bool { return w.items == "" && w.method == http.MethodGet }
