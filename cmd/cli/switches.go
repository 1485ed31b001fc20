package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// switchesList shows the kill switches of all four levels, which are in four lists of the API.
func (s *surroundings) switchesList() *cobra.Command {
	var storefront string
	var off bool
	c := s.remoteCommand("list", "List the kill switches, with who set them", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
		var items []any
		for _, l := range levels {
			found, err := r.switches(c.Context(), l, storefront, off)
			if err != nil {
				return err
			}
			items = append(items, found...)
		}
		if r.json {
			return r.printJSON(map[string]any{"items": plainItems(items)})
		}
		return r.printItems(columns("LEVEL=level NAME=name STATE=state FALLBACK=fallback SET_BY=switched_by SET_AT_(UTC)=switched_at"), items)
	})
	c.Flags().StringVar(&storefront, "storefront", "", "those on the way of this storefront's events")
	c.Flags().BoolVar(&off, "off", false, "those that are off")
	describe(c, "storefront", "storefront", namesOfStorefronts)
	return c
}

// switches lists those of one level. Platforms without an adapter get no events anyway.
func (r *remote) switches(ctx context.Context, l level, storefront string, off bool) ([]any, error) {
	q := url.Values{}
	if off {
		q.Set("is_active", "false")
	}
	if filter := map[string]string{"storefront": "storefront_id", "sgtm": "storefront_code", "credential": "storefront_code"}[l.name]; storefront != "" && filter != "" {
		q.Set(filter, storefront)
	}
	raw, _, err := r.all(ctx, l.ref.path, q, 0)
	if err != nil {
		return nil, err
	}
	var list []any
	for _, one := range raw {
		v, err := parseValue(one)
		if err != nil {
			return nil, err
		}
		if at(v, "has_adapter") == false {
			continue
		}
		state := "OFF"
		if at(v, "is_active") == true {
			state = "on"
		}
		var name []string
		for _, code := range l.ref.codes {
			name = append(name, text(at(v, code)))
		}
		list = append(list, object{{"level", l.name}, {"name", strings.Join(name, " ")}, {"state", state}, {"fallback", at(v, "fallback")},
			{"switched_by", at(v, "switched_by")}, {"switched_at", at(v, "switched_at")}})
	}
	return list, nil
}

// plainItems are objects as the encoder of JSON takes them.
func plainItems(items []any) []map[string]any {
	list := []map[string]any{}
	for _, item := range items {
		one := map[string]any{}
		for _, m := range item.(object) { // of switches
			if m.value != nil {
				one[m.name] = m.value
			}
		}
		list = append(list, one)
	}
	return list
}

// all follows the pages of a list, up to a limit; 0 is none. more is the cursor of what is left.
func (r *remote) all(ctx context.Context, path string, q url.Values, limit int) (items []json.RawMessage, more string, err error) {
	items = []json.RawMessage{}
	for limit == 0 || len(items) < limit {
		size := maxPage
		if limit > 0 {
			size = min(size, limit-len(items))
		}
		q.Set("limit", strconv.Itoa(size))
		var page struct {
			Items []json.RawMessage `json:"items"`
			Next  string            `json:"next_cursor"`
		}
		if err := r.call(ctx, http.MethodGet, path, q, nil, &page); err != nil {
			return nil, "", err
		}
		items, more = append(items, page.Items...), page.Next
		if more == "" {
			break
		}
		q.Set("cursor", more)
	}
	return items, more, nil
}
