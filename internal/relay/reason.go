package relay

// Reasons of events and attempts. They are part of the API: OMS and operators read them, saved queries filter by them.
const (
	ReasonStorefrontDisabled  Reason = "storefront_disabled"
	ReasonSGTMDisabled        Reason = "sgtm_disabled"
	ReasonSGTMStop            Reason = "sgtm_stopped"
	ReasonPlatformDisabled    Reason = "platform_disabled"
	ReasonCredentialDisabled  Reason = "credential_disabled"
	ReasonNoAdapter           Reason = "no_adapter"
	ReasonNoActiveDestination Reason = "no_active_destination"
	ReasonDestinationGone     Reason = "destination_gone"
	ReasonBehindContainer     Reason = "behind_container" // of a destination, never of an event

	ReasonUnknownStorefront  Reason = "unknown_storefront"
	ReasonStorefrontMismatch Reason = "storefront_mismatch"
	ReasonInvalidPayload     Reason = "invalid_payload"
	ReasonMissingEventType   Reason = "missing_event_type"
	ReasonMissingEventID     Reason = "missing_event_id"
	ReasonErased             Reason = "erased"
	ReasonDuplicate          Reason = "duplicate_event"

	ReasonNotMapped     Reason = "not_mapped"
	ReasonEventSkipped  Reason = "event_skipped"
	ReasonConsentDenied Reason = "consent_denied"
	ReasonTooOld        Reason = "too_old"
	ReasonMissingField  Reason = "missing_field"
	ReasonInvalidField  Reason = "invalid_field"

	ReasonExhausted         Reason = "exhausted"
	ReasonRetryAfterTooLong Reason = "retry_after_too_long"
	ReasonUnhealthy         Reason = "destination_unhealthy"
	ReasonCancelled         Reason = "cancelled"
	ReasonTooManyRoutes     Reason = "too_many_routes"

	ReasonDatabaseUnavailable  Reason = "database_unavailable"
	ReasonCredentialUnreadable Reason = "credential_unreadable"
	ReasonAddressRefused       Reason = "address_refused"
	ReasonLimited              Reason = "limited"

	ReasonNetwork          Reason = "network_error"
	ReasonTimeout          Reason = "timeout"
	ReasonThrottled        Reason = "throttled"
	ReasonServerError      Reason = "server_error"
	ReasonBadRequest       Reason = "bad_request"
	ReasonUnauthorized     Reason = "unauthorized"
	ReasonNotFound         Reason = "not_found"
	ReasonTooLarge         Reason = "too_large"
	ReasonRedirect         Reason = "redirect"
	ReasonNotATagServer    Reason = "not_a_tagging_server"
	ReasonNotJSON          Reason = "not_json"
	ReasonUnclaimed        Reason = "unclaimed_path"
	ReasonPartial          Reason = "partial"
	ReasonInterrupted      Reason = "interrupted"
	ReasonUnknown          Reason = "unknown"
	ReasonVendorRejected   Reason = "vendor_rejected"
	ReasonVendorPermission Reason = "vendor_permission"
	ReasonTokenExpired     Reason = "token_expired"
	ReasonTokenUnavailable Reason = "token_unavailable"
)

var texts = map[Reason]string{
	ReasonStorefrontDisabled:  "the storefront is switched off",
	ReasonSGTMDisabled:        "the storefront's sGTM container is switched off",
	ReasonSGTMStop:            "the storefront's sGTM container is switched off and set to stop",
	ReasonPlatformDisabled:    "the platform is switched off for all storefronts",
	ReasonCredentialDisabled:  "the platform is switched off for this storefront",
	ReasonNoAdapter:           "the relay has no adapter for this platform",
	ReasonNoActiveDestination: "no destination is switched on",
	ReasonDestinationGone:     "the destination is no longer configured",
	ReasonBehindContainer:     "the storefront's sGTM container receives its events",

	ReasonUnknownStorefront:  "no storefront has this code or id",
	ReasonStorefrontMismatch: "storefront_id and storefront_code name different storefronts",
	ReasonInvalidPayload:     "event_payload is not a JSON object",
	ReasonMissingEventType:   "event_type is empty",
	ReasonMissingEventID:     "event_id is empty",
	ReasonErased:             "this event was erased and is not delivered again",
	ReasonDuplicate:          "another row holds this event",

	ReasonNotMapped:     "no event name is mapped for this platform",
	ReasonEventSkipped:  "this event is set to be skipped at this platform",
	ReasonConsentDenied: "the shopper denied consent",
	ReasonTooOld:        "the event is older than the platform accepts",
	ReasonMissingField:  "a field that the platform requires is missing",
	ReasonInvalidField:  "a field has a value that the platform does not accept",

	ReasonExhausted:         "no attempts left",
	ReasonRetryAfterTooLong: "the requested Retry-After exceeds the event's time limit",
	ReasonUnhealthy:         "the destination is unhealthy",
	ReasonCancelled:         "the delivery was cancelled",
	ReasonTooManyRoutes:     "the switches changed too often",

	ReasonDatabaseUnavailable:  "the relay's database is unavailable",
	ReasonCredentialUnreadable: "the credential does not decrypt",
	ReasonAddressRefused:       "the destination's address is not allowed",
	ReasonLimited:              "a limit of the destination is reached",

	ReasonNetwork:          "no connection",
	ReasonTimeout:          "no response in time",
	ReasonThrottled:        "the destination is rate limiting",
	ReasonServerError:      "the destination reported a server error",
	ReasonBadRequest:       "the destination rejected the request as malformed",
	ReasonUnauthorized:     "the destination rejected the credential",
	ReasonNotFound:         "the destination's address or id does not exist",
	ReasonTooLarge:         "the destination rejected the event as too large",
	ReasonRedirect:         "the destination returned a redirect, which the relay does not follow",
	ReasonNotATagServer:    "the response is a web page: the URL is not a tagging server",
	ReasonNotJSON:          "the response does not come from the platform's API",
	ReasonUnclaimed:        "the container has no client that claims this path",
	ReasonPartial:          "the destination accepted only part of the request",
	ReasonInterrupted:      "the worker ended before the response came",
	ReasonUnknown:          "it may have arrived; a second copy would be counted twice",
	ReasonVendorRejected:   "the platform rejected the event",
	ReasonVendorPermission: "the credential lacks a permission at the platform",
	ReasonTokenExpired:     "the platform refused the access token, which the next attempt replaces",
	ReasonTokenUnavailable: "the platform's token service issues no access token now",
}

// Text returns the reason as text; an unlisted reason as its code.
func (r Reason) Text() string {
	if w, ok := texts[r]; ok {
		return w
	}
	return string(r)
}
