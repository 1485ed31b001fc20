package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// run does what the command line says. All of it is read before the first request.
func (in *call) run(c *cobra.Command, r *remote, args []string) error {
	q, err := in.queryOf()
	if err != nil {
		return err
	}
	if in.limit < 0 {
		return usagef("--limit: must be at least 0")
	}
	if in.row.ask != "" && r.json && !in.yes {
		return usagef("--json does not ask: set --yes")
	}
	var body any
	if in.row.body != nil {
		t := terminal{in: r.in, notices: r.notices}
		if body, err = in.body.read(c.Context(), c, t, func(name string) (bool, error) { return r.isSecret(c.Context(), in, args, name) }); err != nil {
			return err
		}
	}
	path, err := in.path(c.Context(), r, args)
	if err != nil {
		return err
	}
	if in.row.ask != "" && !in.yes {
		if err := r.confirm(c.Context(), fmt.Sprintf(in.row.ask, strings.Join(args, " ")), "done"); err != nil {
			return err
		}
	}
	if in.row.columns != "" && in.row.pages() {
		return in.list(c.Context(), r, path, q)
	}
	raw, err := r.raw(c.Context(), in.row.method, path, q, body)
	if refused := (*refusal)(nil); in.row.shows && errors.As(err, &refused) {
		return cmp.Or(in.print(r, refused.body), err)
	}
	if err != nil {
		return err
	}
	return in.print(r, raw)
}

func (in *call) queryOf() (url.Values, error) {
	q := url.Values{}
	for _, p := range in.row.flags {
		value := ""
		switch p.kind {
		case boolParam:
			if *in.flags[p.name] {
				value = "true"
			}
		case timeParam:
			t, err := moment("--"+p.flag, *in.query[p.name])
			if err != nil {
				return nil, err
			}
			if !t.IsZero() {
				value = t.Format(time.RFC3339Nano)
			}
		default:
			value = *in.query[p.name]
		}
		if value != "" {
			q.Set(p.name, value)
		}
	}
	return q, nil
}

// path fills the arguments into the path, and sets If-Match to the version that is there now: what changes between this and the
// write is not overwritten.
func (in *call) path(ctx context.Context, r *remote, args []string) (string, error) {
	w := in.row
	path := w.path
	if w.ref != nil {
		id, err := w.ref.id(ctx, r, args)
		if err != nil {
			return "", err
		}
		path = strings.Replace(path, "{id}", id, 1)
		if w.guarded {
			return path, in.guard(ctx, r, w.ref.path+"/"+id)
		}
		return path, nil
	}
	for _, arg := range args {
		begin, end := strings.Index(path, "{"), strings.Index(path, "}")
		path = path[:begin] + url.PathEscape(arg) + path[end+1:]
	}
	return path, nil
}

func (in *call) guard(ctx context.Context, r *remote, path string) error {
	tag := in.ifMatch
	if tag == "" {
		_, header, err := r.exchange(ctx, http.MethodGet, path, nil, nil)
		if err != nil {
			return err
		}
		tag = header.Get("ETag")
	}
	if tag != "" {
		r.send("If-Match", tag)
	}
	return nil
}

// maxPage is the most that a page of any list has.
const maxPage = 100

// list follows the pages of a list.
func (in *call) list(ctx context.Context, r *remote, path string, q url.Values) error {
	items, more, err := r.all(ctx, path, q, in.limit)
	if err != nil {
		return err
	}
	if r.json {
		whole := map[string]any{"items": items}
		if more != "" {
			whole["next_cursor"] = more
		}
		return r.printJSON(whole)
	}
	values := make([]any, len(items))
	for i, raw := range items {
		if values[i], err = parseValue(raw); err != nil {
			return err
		}
	}
	if err := r.printItems(columns(in.row.columns), values); err != nil || more == "" {
		return err
	}
	return r.printf("There are more; --limit shows them.\n")
}

// print shows a response.
func (in *call) print(r *remote, raw []byte) error {
	w := in.row
	if len(raw) == 0 { // 204
		if r.json {
			return nil
		}
		return r.printf("done\n")
	}
	v, err := parseValue(raw)
	if err != nil {
		return fmt.Errorf("the response is not one of a relay: %w", err)
	}
	switch {
	case r.json:
		err = r.printJSON(json.RawMessage(raw))
	case w.show != nil:
		err = w.show(r, v)
	case w.columns != "":
		err = r.printItems(columns(w.columns), listAt(v, w.items))
	default:
		err = r.printDetails(v)
	}
	if err == nil && w.fails != nil {
		err = w.fails(v)
	}
	return err
}

// isSecret asks the catalogue whether a field of a credential is a secret. One that it does not list is.
func (r *remote) isSecret(ctx context.Context, in *call, args []string, name string) (bool, error) {
	code := ""
	if v := in.body.values["platform_code"]; v != nil {
		code = *v
	}
	if in.row.ref != nil && len(args) == len(in.row.ref.args) {
		code = args[len(args)-1]
	}
	if code == "" {
		return true, usagef("--field: name the platform by its code, so that its secrets are known; or use --file")
	}
	var list struct {
		Items []struct {
			Fields []struct {
				Field  string `json:"field"`
				Secret bool   `json:"secret"`
			} `json:"credential_fields"`
		} `json:"items"`
	}
	if err := r.call(ctx, http.MethodGet, platformRef.path, url.Values{"code": {code}}, nil, &list); err != nil {
		return true, err
	}
	for _, p := range list.Items {
		for _, f := range p.Fields {
			if f.Field == name {
				return f.Secret, nil
			}
		}
	}
	return true, nil
}
