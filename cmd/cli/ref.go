package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// ref is how the arguments of a command name a resource of the API that has an id: by the codes that people use, or by the id.
type ref struct {
	path  string   // of the resource's list
	one   string   // for errors: "storefront"
	args  []string // names of the arguments, for the help
	codes []string // parameters of the list that find it, one for each argument
	kinds []string // what completes each argument
}

var (
	storefrontRef = &ref{"/admin/v1/storefronts", "storefront", []string{"STOREFRONT"}, []string{"storefront_id"}, []string{namesOfStorefronts}}
	platformRef   = &ref{"/admin/v1/platforms", "platform", []string{"PLATFORM"}, []string{"code"}, []string{namesOfPlatforms}}
	containerRef  = &ref{"/admin/v1/sgtm-configs", "container", []string{"STOREFRONT"}, []string{"storefront_code"}, []string{namesOfStorefronts}}
	credentialRef = &ref{"/admin/v1/credentials", "credential", []string{"STOREFRONT", "PLATFORM"}, []string{"storefront_code", "platform_code"},
		[]string{namesOfStorefronts, namesOfPlatforms}}
)

const idPrefix = "id:"

var digits = regexp.MustCompile(`^[1-9][0-9]{0,9}$`)

// check refuses the wrong number of arguments.
func (f *ref) check(args []string) error {
	if len(args) == len(f.args) || len(args) == 1 && strings.HasPrefix(args[0], idPrefix) {
		return nil
	}
	return usagef("needs %s, or id: and its id", strings.Join(f.args, " and "))
}

// id finds the id. A code of digits alone is a code: an id is written id:5.
func (f *ref) id(ctx context.Context, r *remote, args []string) (string, error) {
	if id, ok := strings.CutPrefix(args[0], idPrefix); ok && len(args) == 1 {
		if !digits.MatchString(id) {
			return "", usagef("%s: is not id: and a number", args[0])
		}
		return id, nil
	}
	q := url.Values{}
	for i, name := range f.codes {
		q.Set(name, args[i])
	}
	var list struct {
		Items []struct {
			ID json.Number `json:"id"`
		} `json:"items"`
	}
	if err := r.call(ctx, http.MethodGet, f.path, q, nil, &list); err != nil {
		return "", err
	}
	if len(list.Items) == 0 {
		return "", withCode(ExitNotFound, fmt.Errorf("there is no %s %s", f.one, strings.Join(args, " ")))
	}
	return list.Items[0].ID.String(), nil
}
