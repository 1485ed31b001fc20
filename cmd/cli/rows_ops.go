package cli

import (
	"net/http"
	"slices"
)

// level is one of the four kinds of kill switches.
type level struct {
	name, one, id string
	ref           *ref
	flags         []param // of off
}

// levels are in the order in which they take effect.
var levels = []level{
	{"storefront", "a storefront: off, its events end skipped", "storefront", storefrontRef, nil},
	{"sgtm", "a container: off, its fallback decides where events go", "sgtm-config", containerRef,
		[]param{{flag: "fallback", name: "fallback", doc: "direct or stop: where events go meanwhile; without it as set before"}}},
	{"platform", "a platform, for all storefronts", "platform", platformRef, nil},
	{"credential", "a platform, for one storefront", "credential", credentialRef, nil},
}

var switchRows = func() []row {
	var list []row
	for _, l := range levels {
		list = append(list,
			row{use: "switches on " + l.name, short: "Switch on " + l.one, id: "activate-" + l.id, method: http.MethodPost, path: l.ref.path + "/{id}/activate",
				ref: l.ref, write: true, guarded: true, show: (*remote).printSwitched, flags: []param{dryRunParam}},
			row{use: "switches off " + l.name, short: "Switch off " + l.one, id: "deactivate-" + l.id, method: http.MethodPost, path: l.ref.path + "/{id}/deactivate",
				ref: l.ref, write: true, guarded: true, show: (*remote).printSwitched, flags: slices.Concat([]param{dryRunParam}, l.flags)})
	}
	return list
}()

const replayColumns = "ID=id STATE=state RATE=rate MATCHED=matched STARTED=started DELIVERED=delivered FAILED=failed SKIPPED=skipped IN_FLIGHT=in_flight HELD=held " +
	"REMAINING=remaining BY=created_by BEGUN_(UTC)=created_at"

var eventRows = []row{
	{use: "replay list", short: "List replays, newest first", id: "list-replays", method: http.MethodGet, path: replaysPath, columns: replayColumns,
		flags: []param{{flag: "state", name: "state", doc: "running, paused, cancelled, done; several with commas"}}},
	{use: "replay show", short: "Show a replay and its progress", id: "get-replay", method: http.MethodGet, path: replaysPath + "/{id}", args: []string{"ID"}},
	{use: "replay events", short: "List the events that a replay is at", id: "list-replay-events", method: http.MethodGet, path: replaysPath + "/{id}/events",
		args: []string{"ID"}, columns: eventColumns},
	{use: "replay pause", short: "Start no more events for now", id: "pause-replay", method: http.MethodPost, path: replaysPath + "/{id}/pause", args: []string{"ID"}, write: true},
	{use: "replay resume", short: "Go on with a paused replay", id: "resume-replay", method: http.MethodPost, path: replaysPath + "/{id}/resume", args: []string{"ID"}, write: true},
	{use: "replay cancel", short: "Start no more events at all", id: "cancel-replay", method: http.MethodPost, path: replaysPath + "/{id}/cancel", args: []string{"ID"}, write: true},
	{use: "destinations show", short: "Show a destination with its switches and history", id: "get-destination", method: http.MethodGet,
		path: destinationsPath + "/{storefront}/{destination}", args: []string{"STOREFRONT", "DESTINATION"}},
	{use: "erasures list", short: "List erasures, newest first", id: "list-erasures", method: http.MethodGet, path: erasuresPath,
		columns: "ID=id KIND=kind STATE=state TOTAL=total SCANNED=scanned MATCHED=matched ERASED=erased BY=created_by BEGUN_(UTC)=created_at",
		flags:   []param{{flag: "state", name: "state", doc: "running or done"}}},
	{use: "erasures show", short: "Show an erasure and its progress", id: "get-erasure", method: http.MethodGet, path: erasuresPath + "/{id}", args: []string{"ID"}},
}

const eventColumns = "ID=id ORDER=order_id TYPE=event_type STOREFRONT=storefront_code STATUS=status REASON=reason RECEIVED_(UTC)=created_at"

var statsRows = []row{
	{use: "stats events", short: "Count events by storefront, and how they ended", id: "get-stats", method: http.MethodGet, path: "/admin/v1/stats",
		flags: slices.Concat([]param{storefrontParam}, windowParams), show: (*remote).printStats},
	{use: "stats attempts", short: "Show errors and latency of attempts", id: "get-attempt-stats", method: http.MethodGet, path: "/admin/v1/attempts/stats",
		flags: slices.Concat([]param{storefrontParam, destinationParam}, windowParams), items: "destinations",
		columns: "STOREFRONT=storefront DESTINATION=destination ATTEMPTS=n FAILED=failed ERROR_RATE=error_rate P50_MS=p50_ms P95_MS=p95_ms P99_MS=p99_ms OUTCOMES=outcomes"},
	{use: "stats series", short: "Count over time, by hour or day", id: "get-stats-series", method: http.MethodGet, path: "/admin/v1/stats/series",
		flags: slices.Concat([]param{storefrontParam, destinationParam, {flag: "step", name: "step", doc: "hour or day"},
			{flag: "by", name: "by", doc: "a line for each outcome, reason, destination or storefront"},
			{flag: "outcome", name: "outcome", doc: "received, open, delivered, failed, skipped; several with commas"}}, windowParams),
		show: (*remote).printSeries},
	{use: "stats levels", short: "Show the service levels: success and freshness", id: "get-service-levels", method: http.MethodGet, path: "/admin/v1/service-levels"},
	{use: "audit list", short: "List the audit, newest first", id: "list-audit", method: http.MethodGet, path: auditPath, flags: auditParams,
		columns: "ID=id AT_(UTC)=at LOGIN=actor ACTION=action KIND=entity NAME=name SWITCHED_ON=switched NOTE=note"},
}

const auditPath = "/admin/v1/audit"

var auditParams = slices.Concat([]param{{flag: "actor", name: "actor", doc: "the login"}, {flag: "action", name: "action", doc: "such as deactivate"},
	{flag: "entity", name: "entity", doc: "the kind of thing, such as storefronts"}, {flag: "entity-id", name: "entity_id", doc: "the id of the thing"}}, windowParams)

var systemRows = []row{
	{use: "system show", short: "Show checks, workers, schedules and settings", id: "get-system", method: http.MethodGet, path: "/admin/v1/system"},
	{use: "system alive", short: "Ask whether the process is alive", id: "get-health", method: http.MethodGet, path: "/health"},
	{use: "system ready", short: "Ask whether it can work, and why not", id: "get-health-ready", method: http.MethodGet, path: "/health/ready",
		flags: []param{{flag: "verbose", name: "verbose", doc: "also the result of the latest reconciliation", kind: boolParam}}, shows: true},
	{use: "whoami", short: "Show the login that commands use", id: "get-me", method: http.MethodGet, path: mePath, show: (*remote).printMe},
}
