package api

import (
	"net/http"
	"strconv"

	"relay/internal/relay"
)

// code says for programs why a request or an item is refused. Codes are part of the API: OMS branches on them.
type code string

// codeRow is one code of the API: the status of a request that is refused for it, and the text unless the place
// of the refusal has a more precise one.
type codeRow struct {
	status  int
	message string
}

// codes is every code, by name. Only define adds to it.
var codes = map[code]codeRow{}

// define adds a code. Nothing else makes one, so that each has one status and one message.
func define(name code, status int, message string) code {
	if _, taken := codes[name]; taken {
		panic("code " + name + " is defined twice") // at the start of every test
	}
	codes[name] = codeRow{status, message}
	return name
}

// message is the text of a code.
func (c code) message() string { return codes[c].message }

// ofItems is the status of codes that concern items of a batch and never a whole request.
const ofItems = 0

// statusClientGone is nginx's status for a client that closed the connection. Only the log shows it.
const statusClientGone = 499

// The codes. Their order is that of their statuses.
var (
	codeMalformedJSON  = define("malformed_json", http.StatusBadRequest, "the body is missing or is not valid JSON in UTF-8")
	codeMalformedGzip  = define("malformed_gzip", http.StatusBadRequest, "the body is not valid gzip, although Content-Encoding says so")
	codeIncompleteBody = define("incomplete_body", http.StatusBadRequest, "the body ended before it was complete")
	codeNotAnObject    = define("not_an_object", http.StatusBadRequest, "the body must be a JSON object with a list named data")

	codeUnauthorized = define("unauthorized", http.StatusUnauthorized, "this path needs a valid login (HTTP Basic)")
	codeForbidden    = define("forbidden", http.StatusForbidden, "this login is read-only")
	codeCrossOrigin  = define("cross_origin", http.StatusForbidden,
		"a page of another site sent this request; behind a proxy that changes Host, set PUBLIC_URL")
	codeNotFound         = define("not_found", http.StatusNotFound, "there is nothing with this id")
	codeMethodNotAllowed = define("method_not_allowed", http.StatusMethodNotAllowed, "this path does not accept this method; see the Allow header")
	codeRequestTimeout   = define("request_timeout", http.StatusRequestTimeout, "the body did not arrive in time")

	codeAlreadyExists   = define("already_exists", http.StatusConflict, "there is one with this value already; existing_id is its id")
	codeIDRetired       = define("id_retired", http.StatusConflict, "something that was deleted had this id; ids are never used again")
	codeInUse           = define("in_use", http.StatusConflict, "it is in use; used_by lists its users")
	codeNotRetryable    = define("not_retryable", http.StatusConflict, "the event is delivered; a replay with resend sends it again")
	codeEventEnded      = define("event_ended", http.StatusConflict, "the event has ended")
	codeErased          = define("erased", http.StatusConflict, "the event was erased: there is nothing left to deliver")
	codeConfirmMismatch = define("confirm_mismatch", http.StatusConflict, "the filter matches another number of events now; repeat the dry run")
	codeReplayEnded     = define("replay_ended", http.StatusConflict, "the replay has ended")
	codeDestinationOff  = define("destination_off", http.StatusConflict, "the destination gets no events")
	codeUnreadable      = define("unreadable_secret", http.StatusConflict, relay.ReasonCredentialUnreadable.Text())
	codeVersionMismatch = define("version_mismatch", http.StatusPreconditionFailed, "it was changed since it was read; read it again")

	codeBodyTooLarge         = define("body_too_large", http.StatusRequestEntityTooLarge, "the body is larger than this path accepts")
	codeTooManyItems         = define("too_many_items", http.StatusRequestEntityTooLarge, "data has more than "+strconv.Itoa(maxItems)+" items; send smaller batches")
	codeUnsupportedMediaType = define("unsupported_media_type", http.StatusUnsupportedMediaType, "the body must be application/json")
	codeUnsupportedEncoding  = define("unsupported_encoding", http.StatusUnsupportedMediaType, "the body may be sent uncompressed or with Content-Encoding: gzip")

	codeRepeatedField     = define("repeated_field", http.StatusUnprocessableEntity, "the body has a field twice")
	codeNoAcceptableItem  = define("no_acceptable_item", http.StatusUnprocessableEntity, "no item of the batch is acceptable; errors says why, item by item")
	codeUnknownField      = define("unknown_field", http.StatusUnprocessableEntity, "there is no such field here")
	codeInvalidValue      = define("invalid_value", http.StatusUnprocessableEntity, "the value is not acceptable")
	codeInvalidParameter  = define("invalid_parameter", http.StatusUnprocessableEntity, "the parameter is not acceptable")
	codeUnknownPlatform   = define("unknown_platform", http.StatusUnprocessableEntity, "there is no such platform")
	codeUnknownStorefront = define("unknown_storefront", http.StatusUnprocessableEntity, "there is no such storefront")
	codeImmutableField    = define("immutable_field", http.StatusUnprocessableEntity, "the field cannot be changed")
	codeForbiddenHeader   = define("forbidden_header", http.StatusUnprocessableEntity, "the header may not be set, or has characters that no header has")
	codeInvalidURL        = define("invalid_url", http.StatusUnprocessableEntity, "the address is not acceptable")
	codeTooManyEvents     = define("too_many_events", http.StatusUnprocessableEntity, "counting takes too long; narrow the filter, by time for example")
	codeNoTestMode        = define("no_test_mode", http.StatusUnprocessableEntity, "this destination has no test mode; only its settings can be checked")
	codeNoAdapter         = define("no_adapter", http.StatusUnprocessableEntity, relay.ReasonNoAdapter.Text())

	// Of items, and of requests with one event or with a field of the same kind.
	codeInvalidItem = define("invalid_item", http.StatusUnprocessableEntity, "the item is not a JSON object")
	codeInvalidJSON = define("invalid_json", http.StatusUnprocessableEntity,
		"the item is not valid JSON: a word such as NaN, a byte order mark, a raw control character, too many levels")
	codeInvalidUTF8      = define("invalid_utf8", http.StatusUnprocessableEntity, "the item holds bytes that are not UTF-8")
	codeMissingField     = define("missing_field", http.StatusUnprocessableEntity, "the field is required")
	codeWrongType        = define("wrong_type", http.StatusUnprocessableEntity, "the field must be a string")
	codeInvalidCharacter = define("invalid_character", http.StatusUnprocessableEntity, "the field holds a control character or an unpaired surrogate")
	codeFieldTooLong     = define("field_too_long", http.StatusUnprocessableEntity, "the field is too long")
	codeInvalidTime      = define("invalid_time", http.StatusUnprocessableEntity, "the time is not RFC 3339, such as 2026-01-15T10:15:00Z")
	codeNotANumber       = define("not_a_number", http.StatusUnprocessableEntity, "the value is not a number of zero or more")
	codePayloadTooLarge  = define("payload_too_large", http.StatusUnprocessableEntity, "the item is larger than "+strconv.Itoa(relay.MaxPayload)+" bytes")

	codeConflict          = define("conflict", ofItems, "another event with this event_id and event_name is stored")
	codeTimeWithoutOffset = define("time_without_offset", ofItems, "the time has no offset; UTC was assumed")
	codeCountMismatch     = define("count_mismatch", ofItems, "count is not the number of items in data")

	codeTooManyLogins = define("too_many_logins", http.StatusTooManyRequests,
		"too many failed logins for this account or from this address; retry after the seconds in Retry-After")
	codeClientGone = define("client_gone", statusClientGone, "the client closed the connection")
	codeInternal   = define("internal_error", http.StatusInternalServerError, "an internal error occurred; the relay's log has it under this request_id")
	codeBusy       = define("busy", http.StatusServiceUnavailable, "the relay is busy; send the same request again after the seconds in Retry-After")

	codeTemporalUnavailable = define("temporal_unavailable", http.StatusServiceUnavailable,
		"Temporal does not respond, so nothing was done; send the same request again after the seconds in Retry-After")
	codeDatabaseUnavailable = define("database_unavailable", http.StatusServiceUnavailable,
		"the database does not respond; send the same request again, stored events will count as duplicates")
)
