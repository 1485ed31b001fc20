package console_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func storefrontOf() object {
	return object{"id": 5, "storefront_id": "brio", "name": "Brio", "base_url": "https://brio.example", "currency": "USD", "phone_region": "US", "is_active": true,
		"data_policy": "health", "require_consent": false, "use_payload_event_id": false}
}

func storefrontSite() *site {
	s := destinationSite(destinationOf("brio", "tiktok", "unhealthy"))
	s.on("GET /admin/v1/storefronts", object{"items": list{storefrontOf()}, "total": 1})
	s.on("GET /admin/v1/storefronts/5", storefrontOf())
	s.on("GET /admin/v1/audit", object{"items": list{}})
	return s
}

func TestAStorefrontShowsItsDestinationsAndItsPrivacyRules(t *testing.T) {
	t.Parallel()
	body := storefrontSite().get(t, "storefronts/brio").Body.String()
	for _, want := range []string{"Data policy</dt><dd>health", "Require consent</dt><dd>no", `storefronts/brio/tiktok"`, "server error (503)", "switches/storefronts/5?to=off"} {
		require.Contains(t, body, want)
	}
	s := storefrontSite()
	s.on("GET /admin/v1/storefronts", object{"items": list{}})
	require.Equal(t, http.StatusNotFound, s.get(t, "storefronts/nowhere").Code)
}

func TestAStorefrontIsCreated(t *testing.T) {
	t.Parallel()
	s := storefrontSite()
	require.Contains(t, s.get(t, "storefronts/_new").Body.String(), "It does not bind the container")
	s.answers["POST /admin/v1/storefronts"] = reply{http.StatusCreated, storefrontOf()}
	w := s.post("storefronts/_new", "storefront_id", " halo ", "id", "12", "name", "", "base_url", "", "currency", "", "phone_region", "", "data_policy", "health", "require_consent", "true", "note", "new shop")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "../storefronts/halo?done=request-of-page", w.Header().Get("Location"))
	created := s.last(t, "POST /admin/v1/storefronts")
	require.JSONEq(t, `{"storefront_id":"halo","id":12,"data_policy":"health","require_consent":true,"use_payload_event_id":false}`, created.body)
	require.Equal(t, "new shop", created.header.Get("Relay-Note"))

	s.answers["POST /admin/v1/storefronts"] = reply{http.StatusConflict, object{"status": 409, "code": "already_exists", "detail": "it exists already", "field": "storefront_id", "existing_id": 5}}
	w = s.post("storefronts/_new", "storefront_id", "brio", "currency", "EUR")
	require.Equal(t, http.StatusConflict, w.Code)
	require.Contains(t, w.Body.String(), `value="EUR"`)
	require.Contains(t, w.Body.String(), `<span class="bad">■ it exists already</span>`)
}

func TestAStorefrontIsChangedUnlessAnotherWasFaster(t *testing.T) {
	t.Parallel()
	s := storefrontSite()
	v := version(t, s.get(t, "storefronts/brio/_edit").Body.String())
	s.on("PATCH /admin/v1/storefronts/5", storefrontOf())
	form := []string{"key", "5", "version", v, "name", "Brio", "base_url", "", "currency", "EUR", "phone_region", "US", "data_policy", "standard", "require_consent", "true"}
	w := s.post("storefronts/brio/_edit", form...)
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.JSONEq(t, `{"name":"Brio","base_url":"","currency":"EUR","phone_region":"US","data_policy":"standard","require_consent":true,"use_payload_event_id":false}`,
		s.last(t, "PATCH /admin/v1/storefronts/5").body)

	changed := storefrontOf()
	changed["currency"] = "CAD"
	s.on("GET /admin/v1/storefronts/5", changed)
	s.on("GET /admin/v1/storefronts", object{"items": list{changed}})
	w = s.post("storefronts/brio/_edit", form...)
	require.Equal(t, http.StatusPreconditionFailed, w.Code)
	require.Contains(t, w.Body.String(), "now stored: CAD")
	require.Equal(t, 1, s.count("PATCH /admin/v1/storefronts/5"))
}

func TestAStorefrontIsDeletedOnlyWithItsCodeTyped(t *testing.T) {
	t.Parallel()
	s := storefrontSite()
	body := s.get(t, "storefronts/brio/_delete").Body.String()
	require.Contains(t, body, "It is in use: it has 1 destination")
	v := version(t, body)
	w := s.post("storefronts/brio/_delete", "key", "5", "version", v, "typed", "bri")
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.Zero(t, s.count("DELETE /admin/v1/storefronts/5"))

	s.answers["DELETE /admin/v1/storefronts/5"] = reply{http.StatusConflict, object{"status": 409, "code": "in_use", "detail": "it is in use", "used_by": list{object{"kind": "credentials", "count": 2}}}}
	w = s.post("storefronts/brio/_delete", "key", "5", "version", v, "typed", "brio")
	require.Equal(t, http.StatusConflict, w.Code)
	require.Contains(t, w.Body.String(), "Used by 2 credentials")

	s.answers["DELETE /admin/v1/storefronts/5"] = reply{http.StatusNoContent, ""}
	w = s.post("storefronts/brio/_delete", "key", "5", "version", v, "typed", "brio")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "../../storefronts?done=request-of-page", w.Header().Get("Location"))
}

func TestANewDestinationIsChosenAmongThoseThatAreNotThere(t *testing.T) {
	t.Parallel()
	s := storefrontSite()
	s.on("GET /admin/v1/platforms", object{"items": list{object{"code": "tiktok", "has_adapter": true}, object{"code": "bing", "has_adapter": false}, object{"code": "ga4", "has_adapter": true}}})
	body := s.get(t, "storefronts/brio/_new").Body.String()
	require.NotContains(t, body, "brio/tiktok/settings")
	require.Contains(t, body, "brio/sgtm/settings")
	require.Contains(t, body, "brio/ga4/settings")
	require.Less(t, indexOf(t, body, "brio/ga4/settings"), indexOf(t, body, "brio/bing/settings"))
}
