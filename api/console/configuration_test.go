package console_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func init() { maps.Copy(addresses, configurationAddresses) }

// configurationAddresses are those of the pages about destinations, storefronts and what is kept about them.
var configurationAddresses = map[string]string{
	"destinations": "destinations", "storefronts/{code}/{destination}": "storefronts/brio/meta_capi",
	"storefronts/{code}/{destination}/settings": "storefronts/brio/meta_capi/settings", "storefronts/{code}/{destination}/try": "storefronts/brio/meta_capi/try?type=purchase_completed",
	"storefronts/{code}/{destination}/try/test": "storefronts/brio/meta_capi/try/test", "storefronts/{code}/{destination}/_delete": "storefronts/brio/meta_capi/_delete",
	"storefronts": "storefronts", "storefronts/_new": "storefronts/_new", "storefronts/{code}": "storefronts/brio", "storefronts/{code}/_edit": "storefronts/brio/_edit",
	"storefronts/{code}/_delete": "storefronts/brio/_delete", "storefronts/{code}/_new": "storefronts/brio/_new",
	"audit": "audit?actor=anna", "platforms": "platforms?q=m&tier=1", "platforms/{code}": "platforms/meta_capi", "erasures": "erasures", "erasures/_new": "erasures/_new",
	"erasures/{id}": "erasures/3", "system": "system", "live": "live?storefront=brio&now=1",
}

// playConfiguration plays what those pages ask, with the same text everywhere.
func (s *site) playConfiguration(text string) {
	secret := object{"is_set": true, "last_four": text}
	options := object{"identifiers": text, "allow": list{text}, "api_version": text, "events": object{text: object{"name": text}}}
	credential := object{"id": 7, "storefront_code": text, "platform_code": text, "credentials": object{"pixel_id": text}, "secrets": object{"access_token": secret}, "is_active": true, "options": options}
	s.on("GET /admin/v1/credentials", object{"items": list{credential}})
	s.on("GET /admin/v1/sgtm-configs", object{"items": list{object{"id": 3, "storefront_code": text, "sgtm_url": text, "client_type": "custom", "custom_headers": object{text: secret}, "options": options}}})
	s.on("GET /admin/v1/platforms", object{"items": list{object{"id": 3, "code": text, "name": text, "vendor": text, "category": text, "tier": 1, "auth": text, "api_base_url": text, "has_adapter": true,
		"docs_url": "https://docs.example.com/" + text, "is_active": true, "event_names": object{text: text}, "proposed_event_names": object{text + "2": text},
		"credential_fields": list{object{"field": "pixel_id", "required": true, "description": text, "format": text}, object{"field": "access_token", "secret": true}}}}, "total": 1, "next_cursor": text})
	s.on("POST /admin/v1/credentials/7/check", object{"ok": false, "field": text, "message": text, "warnings": list{text}, "failed_since": 3,
		"replay": object{"filter": object{"storefront": text, "status": list{"failed"}, "reason": list{text}, "destination": text}}})
	s.on("GET /admin/v1/attempts/stats", object{"total": object{"n": 10, "failed": 1, "error_rate": 0.1, "p50_ms": 80, "p95_ms": 310, "statuses": list{object{"status": 200, "n": 9}}}})
	s.on("GET /admin/v1/storefronts", object{"items": list{object{"id": 5, "storefront_id": "brio", "name": text, "base_url": text, "currency": text, "phone_region": text, "is_active": false,
		"switched_by": text, "data_policy": "standard"}}, "total": 1, "next_cursor": text})
	erasure := object{"id": 3, "kind": "external_id", "state": "running", "subject_hash": text, "created_by": text, "created_at": "2026-01-15T10:00:00Z", "total": 100, "scanned": 40, "matched": 3, "erased": 2,
		"workflow_url": "https://temporal.example.com/" + text}
	s.on("GET /admin/v1/erasures", object{"items": list{erasure}, "next_cursor": text})
	s.on("GET /admin/v1/erasures/3", erasure)
	s.on("GET /admin/v1/system", object{"version": text, "role": "serve", "started_at": "2026-01-15T10:00:00Z", "checks": object{text: text}, "workers": list{object{"id": text, "seen_at": "2026-01-15T10:00:00Z"}},
		"temporal":  object{"namespace": text, "task_queue": text, "reached": true, "pollers": list{object{"task_queue": text, "kind": "workflow", "identity": text, "last_access_at": "2026-01-15T10:00:00Z"}}},
		"schedules": list{object{"id": text, "last_run_at": "2026-01-15T10:00:00Z"}}, "settings": list{object{"name": text, "value": text}, object{"name": "PASSWORD", "secret": true, "is_set": true}}})
	attempt, _ := json.Marshal(object{"id": 991, "event_id": 4711, "storefront": text, "destination": text, "outcome": text, "reason": text, "at": "2026-01-15T10:00:00Z"}) // it always marshals
	s.on("GET /admin/v1/live", "retry: 3000\n\nevent: attempt\ndata: "+string(attempt)+"\n\n: heartbeat\n\n")
	s.on("GET /admin/v1/audit", object{"items": list{object{"id": 3, "at": "2026-01-15T10:00:00Z", "actor": text, "action": text, "entity": text, "entity_id": 7, "name": text, "request_id": text, "note": text,
		"changes": list{object{"field": text, "from": text, "to": text}}}}, "next_cursor": text})
}

func indexOf(t *testing.T, body, what string) int {
	t.Helper()
	require.Contains(t, body, what)
	return strings.Index(body, what)
}
