package api

import (
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"relay/internal/ops"
)

// access says who may use a route.
type access int

const (
	open   access = iota + 1 // everyone: responses without a login carry only status texts
	probe                    // everyone, and for details the login of OMS or of an admin
	oms                      // the login of OMS
	reader                   // an admin's login
	writer                   // an admin's login that is not read-only
)

// route is one row of the API: access, method, path, handler and documentation. Everything that
// is served is such a row, except the pages of the console.
type route struct {
	access access
	method string
	path   string
	handle binding
	doc    doc
}

// doc is the documentation of a route, as far as it does not follow from the types of its handler. A route without an id is
// not in the document.
type doc struct {
	id, tag, summary, text string

	errors   []int // statuses besides those of every route with the same access
	status   int   // of success, unless it is 200
	describe func(*registry, *huma.Operation)
}

// Statuses of refusals that several routes share.
var (
	badInput = []int{http.StatusUnprocessableEntity}
	missing  = []int{http.StatusNotFound, http.StatusUnprocessableEntity}
	conflict = []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}
	badBody  = []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity}
)

// with adds statuses to some of the above.
func with(statuses []int, more ...int) []int { return slices.Concat(statuses, more) }

// routes is the whole table. The worker role serves health alone.
func (s *server) routes() []route {
	table := s.healthRoutes()
	if s.cfg.Role == RoleWorker {
		return table
	}
	table = append(table, s.ingestRoute(), meRoute())
	if a := s.deps.Admin; a != nil {
		table = slices.Concat(table, a.storefrontRoutes(), a.sgtmRoutes(), a.platformRoutes(), a.credentialRoutes(), a.auditRoutes())
	}
	if s.deps.Ops != nil {
		h := opsHandlers{Ops: s.deps.Ops}
		table = slices.Concat(table, h.statusRoutes(), h.eventRoutes(), h.checkRoutes(), h.replayRoutes(), h.destinationRoutes(), h.erasureRoutes())
	}
	return slices.Concat(table, s.systemRoutes(), s.liveRoutes(), pageRoutes())
}

func (s *server) healthRoutes() []route {
	return []route{
		{open, http.MethodGet, "/health", raw(s.health),
			doc{id: "get-health", tag: tagHealth, summary: "Whether the process is alive", describe: describeHealth}},
		{probe, http.MethodGet, "/health/ready", raw(s.healthReady),
			doc{id: "get-health-ready", tag: tagHealth, summary: "Whether the process is ready",
				text:     "One word per check. With verbose, which needs a login, also the result of the latest reconciliation.",
				describe: describeReadiness}},
	}
}

func (s *server) ingestRoute() route {
	return route{oms, http.MethodPost, "/v1/events", raw(s.ingest),
		doc{id: "post-events", tag: tagIngestion, summary: "Accept events",
			text: "Stores the acceptable items of a batch in one transaction, reports the others, and starts the deliveries. A batch may be sent " +
				"again at any time: events that are already stored count as duplicates. The body may be compressed: Content-Encoding: gzip.",
			errors: []int{http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
				http.StatusInternalServerError},
			describe: describeIngestion}}
}

func (h opsHandlers) statusRoutes() []route {
	return []route{
		{oms, http.MethodGet, "/v1/events", typed(h.statusOfOrder),
			doc{id: "get-status", tag: tagOMS, summary: "Delivery status of an order's events", errors: badInput}},
		{oms, http.MethodPost, "/v1/events/status", typed(h.statusOfOrders),
			doc{id: "list-statuses", tag: tagOMS, summary: "Delivery status of the events of many orders", errors: badBody}},
	}
}

func (a *Admin) auditRoutes() []route {
	return []route{{reader, http.MethodGet, "/admin/v1/audit", typed(a.listAudit),
		doc{id: "list-audit", tag: tagAudit, summary: "List the audit log",
			describe: describeAudit, errors: badInput,
			text: "Newest first. Entries are never changed, and kept for AUDIT_RETENTION_DAYS, six years by default. With format=ndjson all that match " +
				"are exported, however many there are: an export that fails in between breaks the connection."}}}
}

func (h opsHandlers) eventRoutes() []route {
	const path = "/admin/v1/events"
	return []route{
		{reader, http.MethodGet, path, typed(h.list),
			doc{id: "list-events", tag: tagEvents, summary: "Search events", errors: badInput,
				text: "Newest first, by the time of receipt. The time for a page does not depend on the number of events."}},
		{reader, http.MethodGet, path + "/count", typed(h.count),
			doc{id: "count-events", tag: tagEvents, summary: "Count events", errors: badInput,
				text: "The filters of the list. The count is bounded, so that its time does not depend on the number of events."}},
		{reader, http.MethodGet, path + "/{id}", typed(h.get),
			doc{id: "get-event", tag: tagEvents, summary: "Read an event with its attempts", errors: missing}},
		{writer, http.MethodPost, path + "/{id}/reveal", typed(h.reveal),
			doc{id: "reveal-event", tag: tagEvents, summary: "Show the payload of an event with its personal data",
				errors: with(badBody, http.StatusNotFound), text: "Needs a login that is not read-only. The audit log keeps the login and the note."}},
		{writer, http.MethodPost, path + "/{id}/retry", typed(h.retry),
			doc{id: "retry-event", tag: tagEvents, summary: "Deliver a failed or skipped event again", errors: conflict,
				text: "The event gets all its attempts again, under the same event_id, at every destination that has not accepted it."}},
		{writer, http.MethodPost, path + "/{id}/cancel", typed(h.cancel),
			doc{id: "cancel-event", tag: tagEvents, summary: "Cancel the delivery of an event", errors: conflict,
				text: "A pending event ends at once. The delivery of one that is processing is asked to end, and the response waits for that up to five " +
					"seconds. A request on the wire is not called back. While Temporal is away the response is 503 temporal_unavailable, and nothing was done: only the audit has the request."}},
		{reader, http.MethodPost, "/admin/v1/preview", typed(h.preview),
			doc{id: "preview", tag: tagPreview, summary: "Show the requests of an event without sending them", errors: with(badBody, http.StatusNotFound),
				text: "The route with the reason of each of the four levels of kill switches, and the exact request for every destination " +
					"that the storefront has configured, on the route or not. Nothing is sent and nothing is stored. Secrets are masked."}},
		{reader, http.MethodGet, "/admin/v1/stats", typed(h.stats),
			doc{id: "get-stats", tag: tagStats, summary: "Counts by storefront and destination", errors: badInput,
				text: "Counted each minute by the hour of receipt, so that ten million events take no longer than ten."}},
		{reader, http.MethodGet, "/admin/v1/attempts/stats", typed(h.attemptStats),
			doc{id: "get-attempt-stats", tag: tagStats, summary: "Errors and latency of attempts", errors: badInput,
				text: "Counted by the workers as they send, and up to ten seconds old. Counts by minute are kept for a day, by hour for 8 days, by day for 92."}},
		{reader, http.MethodGet, "/admin/v1/service-levels", typed(h.service),
			doc{id: "get-service-levels", tag: tagStats, summary: "Read the service levels",
				text: "The share of deliveries that succeeded, and of those that were in time, over an hour, a day and 30 days. Workers add their counts every ten seconds."}},
		{reader, http.MethodGet, "/admin/v1/backlog", typed(h.backlog),
			doc{id: "get-backlog", tag: tagStats, summary: "Count what has not ended", errors: badInput,
				text: "The events that wait or are being delivered, now, by storefront, and those that wait for a retry, by destination."}},
		{reader, http.MethodGet, "/admin/v1/stats/series", typed(h.series),
			doc{id: "get-stats-series", tag: tagStats, summary: "Counts over time", errors: badInput,
				text: "The same counts by hour or day, for charts: by outcome, reason, destination or storefront. An event counts in the hour in which it was received."}},
	}
}

func (h opsHandlers) checkRoutes() []route {
	const text = "Checks the settings without a network; warnings lists the problems that events will have. With send=test one made-up event is sent. " +
		"Platforms get it in their own test mode: Meta and TikTok test_event_code, Reddit test_id, GA4 /debug/mp/collect, Snapchat validate, Pinterest " +
		"test=true, Google Ads validateOnly. The person in it is made up, and is sent whatever the options say. A container gets an event named relay_test, without a " +
		"person and a value, with the header X-Gtm-Server-Preview if the request has one. Events that have failed at this destination are counted, and their replay is offered."
	return []route{
		{writer, http.MethodPost, "/admin/v1/credentials/{id}/check", typed(h.checkOf(ops.EntityCredential, "credential", h.Configs.CredentialPlace)),
			doc{id: "check-credential", tag: tagCredentials, summary: "Check a credential", text: text, errors: conflict}},
		{writer, http.MethodPost, "/admin/v1/sgtm-configs/{id}/check", typed(h.checkOf(ops.EntitySGTMConfig, "sGTM config", h.Configs.ContainerPlace)),
			doc{id: "check-sgtm-config", tag: tagSGTM, summary: "Check a sGTM config", text: text, errors: conflict}},
	}
}

func (h opsHandlers) replayRoutes() []route {
	const path = "/admin/v1/replays"
	const inFlight = "Events that were started already are delivered."
	return []route{
		{writer, http.MethodPost, path, typed(h.create),
			doc{id: "create-replay", tag: tagReplays, summary: "Deliver many events again", errors: with(badBody, http.StatusNotFound, http.StatusConflict),
				text: "Failed events, and skipped ones if the filter asks for them, that were received by now. " +
					"Use dry_run=true first. Events keep their event_id, and destinations that have accepted an event do not get it again, unless resend is set. " +
					"Events for an unhealthy destination wait: one event is sent first, as a probe, and the others follow when the destination has recovered.",
				describe: func(r *registry, op *huma.Operation) {
					op.Responses["200"] = response("With dry_run=true: the counts.", schemaOf[ReplayAnswer](r), parsed(dryRunExample))
					op.Responses["201"] = response("The replay has begun.", schemaOf[ReplayAnswer](r), parsed(replayExample))
				}}},
		{reader, http.MethodGet, path, typed(h.listReplays), doc{id: "list-replays", tag: tagReplays, summary: "List replays", errors: badInput}},
		{reader, http.MethodGet, path + "/{id}", typed(h.getReplay), doc{id: "get-replay", tag: tagReplays, summary: "Read a replay and its progress", errors: missing}},
		{writer, http.MethodPatch, path + "/{id}", typed(h.setReplayRate),
			doc{id: "patch-replay", tag: tagReplays, summary: "Change the rate of a replay", errors: with(badBody, conflict...),
				text: "It counts from the next step on, within a few seconds."}},
		{reader, http.MethodGet, path + "/{id}/events", typed(h.replayEvents),
			doc{id: "list-replay-events", tag: tagReplays, summary: "List the events that a replay is at", errors: missing,
				text: "Those that it has started and that have not ended, and those that it holds, the newest first. Events that have ended are found by the " +
					"replay's filter in the list of events."}},
		{writer, http.MethodPost, path + "/{id}/pause", typed(h.replayStateTo(ops.ReplayPaused, "pause")),
			doc{id: "pause-replay", tag: tagReplays, summary: "Pause a replay", text: inFlight, errors: conflict}},
		{writer, http.MethodPost, path + "/{id}/resume", typed(h.replayStateTo(ops.ReplayRunning, "resume")),
			doc{id: "resume-replay", tag: tagReplays, summary: "Resume a paused replay", text: inFlight, errors: conflict}},
		{writer, http.MethodPost, path + "/{id}/cancel", typed(h.replayStateTo(ops.ReplayCancelled, "cancel")),
			doc{id: "cancel-replay", tag: tagReplays, summary: "Cancel a replay", text: inFlight, errors: conflict}},
	}
}

func (h opsHandlers) destinationRoutes() []route {
	const path = "/admin/v1/destinations"
	return []route{
		{reader, http.MethodGet, path, typed(h.listDestinations),
			doc{id: "list-destinations", tag: tagDestinations, summary: "List the destinations of storefronts, with their health", errors: badInput,
				text: "One entry for each storefront and configured destination: its container, and each platform for which it has a credential. " +
					"The counts are current, and bounded. With storefronts=50 a page holds 50 storefronts whole, for a table of storefronts by destinations."}},
		{reader, http.MethodGet, path + "/{storefront}/{destination}", typed(h.getDestination),
			doc{id: "get-destination", tag: tagDestinations, summary: "Read a destination, with its history", errors: missing,
				text: "As in the list, with the newest lines of the audit about it."}},
		{writer, http.MethodPost, path + "/{storefront}/{destination}/probe", typed(h.probe),
			doc{id: "probe-destination", tag: tagDestinations, summary: "Probe an unhealthy destination now", errors: conflict,
				text: "Delivers one of the events that failed there again; nothing artificial is sent. If it is accepted, the destination is " +
					"healthy and the others follow. If no event failed there, the next new event is the probe. The relay also probes by itself, " +
					"at growing intervals."}},
	}
}

func (h opsHandlers) erasureRoutes() []route {
	const path = "/admin/v1/erasures"
	return []route{
		{writer, http.MethodPost, path, typed(h.createErasure),
			doc{id: "create-erasure", tag: tagErasures, summary: "Erase the data of an order or a person", errors: badBody, status: http.StatusCreated,
				text: "Open deliveries are cancelled first. Then payloads, the data in attempts, and the deliveries' workflows in Temporal are deleted. " +
					"The event itself stays: its type, status, times and storefront; hashes replace its ids, so that it is a duplicate if it is sent again. " +
					"It cannot be undone.",
				describe: func(r *registry, op *huma.Operation) {
					op.Responses["201"] = response("The erasure has begun, or is done.", schemaOf[ErasureView](r), nil)
				}}},
		{reader, http.MethodGet, path, typed(h.listErasures),
			doc{id: "list-erasures", tag: tagErasures, summary: "List erasures", errors: badInput,
				text: "Newest first. They have hashes of what they look for, and nothing else of it."}},
		{reader, http.MethodGet, path + "/{id}", typed(h.getErasure),
			doc{id: "get-erasure", tag: tagErasures, summary: "Read an erasure and its progress", errors: missing}},
	}
}
