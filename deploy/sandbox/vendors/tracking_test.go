package vendors_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox/vendors"
)

const tracked = `{"event":"Order Completed","userId":"cust_9","messageId":"9b31c2d4e5f60718293a4b5c6d7e8f90","timestamp":"2026-11-23T08:00:00Z",` +
	`"properties":{"order_id":"order_123","revenue":80.79,"currency":"USD","products":[{"product_id":"1","price":80.79,"quantity":1}]}}`

func TestTrackingAPIsTakeACallOfAUser(t *testing.T) {
	t.Parallel()
	basic := func(userinfo string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(userinfo))
	}
	replaced := func(old, with string) string {
		require.Contains(t, tracked, old)
		return strings.Replace(tracked, old, with, 1)
	}
	for name, c := range map[string]struct {
		path, header, body   string
		segment, rudderstack int
		want                 string
	}{
		"a call":                       {"/v1/track", basic("key:"), tracked, 200, 200, ""},
		"of an anonymous user":         {"/v1/track", basic("key:"), replaced("userId", "anonymousId"), 200, 200, ""},
		"without a value":              {"/v1/track", basic("key:"), replaced(`"revenue":80.79,"currency":"USD",`, ""), 200, 200, ""},
		"another path":                 {"/track", basic("key:"), tracked, 404, 404, "not found"},
		"no key":                       {"/v1/track", "", tracked, 401, 401, ""},
		"a bearer":                     {"/v1/track", "Authorization: Bearer key", tracked, 401, 401, ""},
		"a password":                   {"/v1/track", basic("key:key"), tracked, 401, 401, ""},
		"a key that was revoked":       {"/v1/track", basic(vendors.RevokedToken + ":"), tracked, 401, 401, ""},
		"no user":                      {"/v1/track", basic("key:"), replaced(`"userId":"cust_9",`, ""), 400, 400, "neither has anonymousId nor userId"},
		"no name":                      {"/v1/track", basic("key:"), replaced("Order Completed", ""), 400, 400, "event"},
		"no id":                        {"/v1/track", basic("key:"), replaced("9b31c2d4e5f60718293a4b5c6d7e8f90", ""), 400, 400, "messageId"},
		"seconds":                      {"/v1/track", basic("key:"), replaced(`"2026-11-23T08:00:00Z"`, "1795420800"), 400, 400, "Invalid JSON"},
		"a time in the future":         {"/v1/track", basic("key:"), replaced("2026-11", "2999-11"), 400, 400, "timestamp"},
		"a text as revenue":            {"/v1/track", basic("key:"), replaced(`80.79,"cur`, `"80.79","cur`), 400, 400, "Invalid JSON"},
		"a value without a currency":   {"/v1/track", basic("key:"), replaced(`"currency":"USD",`, ""), 400, 400, "properties.currency"},
		"a member that is not agreed":  {"/v1/track", basic("key:"), replaced(`"userId"`, `"email":"jane@example.com","userId"`), 400, 400, "Invalid JSON"},
		"the type, which batches have": {"/v1/track", basic("key:"), replaced(`"userId"`, `"type":"track","userId"`), 400, 400, "Invalid JSON"},
		"more than one call holds":     {"/v1/track", basic("key:"), replaced("order_123", strings.Repeat("x", 33<<10)), 400, 200, ""},
		"no JSON":                      {"/v1/track", basic("key:"), "event=a", 400, 400, "Invalid JSON"},
	} {
		for vendor, status := range map[string]int{"segment": c.segment, "rudderstack": c.rudderstack} {
			got, played := play(vendor+c.path, c.header, c.body)
			require.True(t, played, name)
			require.Equal(t, status, got.Status, "%s: %s: %s", vendor, name, got.Body)
			require.Contains(t, got.Body, c.want, name)
		}
	}
}
