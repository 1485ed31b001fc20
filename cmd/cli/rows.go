package cli

import (
	"net/http"
	"reflect"
	"slices"

	"relay/api"
)

// noun is a command that holds others, or the only row of its name.
type noun struct{ group, short string }

var nouns = map[string]noun{
	"storefronts":  {GroupLook, "List, show, create, change and delete storefronts"},
	"containers":   {GroupLook, "List, show, create, change and delete containers"},
	"platforms":    {GroupLook, "List, show, create, change and delete platforms"},
	"credentials":  {GroupLook, "List, show, create, change and delete credentials"},
	"switches":     {GroupChange, "List the kill switches, and set them"},
	"switches on":  {"", "Switch on"},
	"switches off": {"", "Switch off"},
	"events":       {GroupLook, "Find, count, show, follow, retry and cancel events"},
	"replay":       {GroupChange, "Deliver many events again, at a rate"},
	"destinations": {GroupLook, "Show the health of the destinations of storefronts"},
	"stats":        {GroupLook, "Count events, deliveries and attempts"},
	"audit":        {GroupLook, "Show who did what, and why"},
	"erasures":     {GroupLook, "List erasures and their progress"},
	"system":       {GroupLook, "Show the state of the relay: checks, workers, settings"},
	"whoami":       {GroupLogin, "Show the login that commands use"},
}

const (
	fromDoc = "begin of the window: RFC 3339, or how long ago (24h)"
	toDoc   = "end of the window: likewise"
)

// Parameters that several lists have.
var (
	storefrontParam  = param{flag: "storefront", name: "storefront", doc: "the storefront's code", names: namesOfStorefronts}
	destinationParam = param{flag: "destination", name: "destination", doc: "sgtm or a platform's code", names: namesOfDestinations}
	windowParams     = []param{{flag: "from", name: "from", doc: fromDoc, kind: timeParam}, {flag: "to", name: "to", doc: toDoc, kind: timeParam}}
	sortParam        = param{flag: "sort", name: "sort", doc: "a field to sort by, with - in front descending"}
	activeParam      = param{flag: "is-active", name: "is_active", doc: "true or false: those that are on, or off"}
	dryRunParam      = param{flag: "dry-run", name: "dry_run", doc: "change nothing: say what the switch would do", kind: boolParam}
	searchParam      = func(where string) param { return param{flag: "search", name: "q", doc: "a part of " + where} }
)

// rows is the table.
var rows = slices.Concat(
	resourceRows(resource{noun: "storefronts", one: "a storefront", id: "storefront", ref: storefrontRef,
		input: reflect.TypeFor[api.StorefrontInput](), patch: reflect.TypeFor[api.StorefrontPatch](),
		columns: "ID=id CODE=storefront_id NAME=name ON=is_active CURRENCY=currency DATA_POLICY=data_policy CONSENT=require_consent CHANGED_(UTC)=updated_at",
		flags: []param{{flag: "code", name: "storefront_id", doc: "the one with this code", names: namesOfStorefronts}, activeParam,
			{flag: "data-policy", name: "data_policy", doc: "health or standard"}, searchParam("the code or name"), sortParam}}),
	resourceRows(resource{noun: "containers", one: "a container", id: "sgtm-config", ref: containerRef,
		input: reflect.TypeFor[api.SGTMConfigInput](), patch: reflect.TypeFor[api.SGTMConfigPatch](),
		columns: "ID=id STOREFRONT=storefront_code URL=sgtm_url CLIENT=client_type ON=is_active FALLBACK=fallback ON_EXHAUSTED=on_exhausted UNREADABLE=secrets_unreadable",
		flags: []param{{flag: "storefront", name: "storefront_code", doc: "the storefront's code", names: namesOfStorefronts},
			{flag: "storefront-id", name: "storefront_id", doc: "the storefront's id"}, {flag: "client", name: "client_type", doc: "ga4 or custom"},
			activeParam, searchParam("the storefront's code or name, or of the address"), sortParam}}),
	resourceRows(resource{noun: "platforms", one: "a platform", id: "platform", ref: platformRef,
		input: reflect.TypeFor[api.PlatformInput](), patch: reflect.TypeFor[api.PlatformPatch](),
		columns: "ID=id CODE=code NAME=name TIER=tier CATEGORY=category ADAPTER=has_adapter ON=is_active",
		flags: []param{{flag: "code", name: "code", doc: "the one with this code", names: namesOfPlatforms}, {flag: "category", name: "category", doc: "those of this category"},
			{flag: "tier", name: "tier", doc: "1, 2 or 3"}, {flag: "server-side-events-api", name: "server_side_events_api", doc: "true or false: those with such an API, or without"},
			activeParam, searchParam("the code, name or vendor"), sortParam}}),
	resourceRows(resource{noun: "credentials", one: "a credential", id: "credential", ref: credentialRef, secrets: []string{"credentials"}, parts: "credentials",
		input: reflect.TypeFor[api.CredentialInput](), patch: reflect.TypeFor[api.CredentialPatch](),
		columns: "ID=id STOREFRONT=storefront_code PLATFORM=platform_code ON=is_active FIELDS=credentials UNREADABLE=secrets_unreadable CHANGED_(UTC)=updated_at",
		flags: []param{{flag: "storefront", name: "storefront_code", doc: "the storefront's code", names: namesOfStorefronts},
			{flag: "storefront-id", name: "storefront_id", doc: "the storefront's id"}, {flag: "platform", name: "platform_code", doc: "the platform's code", names: namesOfPlatforms},
			{flag: "platform-id", name: "platform_id", doc: "the platform's id"}, activeParam, searchParam("the storefront's or platform's code or name"), sortParam}}),
	switchRows, eventRows, statsRows, systemRows,
)

// resource is one kind of configuration.
type resource struct {
	noun, one, id string
	ref           *ref
	input, patch  reflect.Type
	secrets       []string
	parts         string
	columns       string
	flags         []param
}

// resourceRows are the commands that every kind of configuration has.
func resourceRows(k resource) []row {
	path := k.ref.path
	one := row{path: path + "/{id}", ref: k.ref, write: true, guarded: true, secrets: k.secrets, parts: k.parts}
	show, replace, set, remove := one, one, one, one
	show.use, show.short, show.id, show.method = k.noun+" show", "Show "+k.one, "get-"+k.id, http.MethodGet
	show.write, show.guarded = false, false
	replace.use, replace.short, replace.id, replace.method = k.noun+" replace", "Replace "+k.one+" as a whole", "replace-"+k.id, http.MethodPut
	replace.body = k.input
	set.use, set.short, set.id, set.method = k.noun+" set", "Change fields of "+k.one, "patch-"+k.id, http.MethodPatch
	set.body = k.patch
	remove.use, remove.short, remove.id, remove.method = k.noun+" delete", "Delete "+k.one, "delete-"+k.id, http.MethodDelete
	remove.ask = "Delete %s from the " + k.noun + "? Its id is never used again."
	return []row{
		{use: k.noun + " list", short: "List " + k.noun, id: "list-" + k.id + "s", method: http.MethodGet, path: path, flags: k.flags, columns: k.columns},
		show,
		{use: k.noun + " create", short: "Create " + k.one, id: "create-" + k.id, method: http.MethodPost, path: path, body: k.input, secrets: k.secrets, parts: k.parts, write: true},
		set, replace, remove,
	}
}
