package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// itemCodes reads the codes that the document lists for items.
func itemCodes(t *testing.T, doc map[string]any, kind string) []string {
	t.Helper()
	property := object(object(object(object(object(doc["components"])["schemas"])["ItemError"])["properties"])["code"])
	body, err := json.Marshal(object(property["x-codes"])[kind])
	require.NoError(t, err)
	var list []struct{ Code, Message, Do string }
	require.NoError(t, json.Unmarshal(body, &list))
	var codes []string
	for _, c := range list {
		require.NotEmpty(t, c.Message, c.Code)
		require.NotEmpty(t, c.Do, c.Code)
		require.Contains(t, property["description"], c.Code)
		codes = append(codes, c.Code)
	}
	return codes
}

// TestTheDocumentListsTheCodesOfItems provokes each of them.
func TestTheDocumentListsTheCodesOfItems(t *testing.T) {
	t.Parallel()
	r := newTest(t)
	r.inbox.busy = map[string]bool{"busy": true}
	a := r.items(t, order(1), event("order_id", `"taken"`), event("order_id", `"taken"`, "order_revenue", "1"), event("order_id", `"busy"`),
		`"text"`, event("note", "NaN"), event("note", "\"caf\xe9\""), event("note", `"\ud800"`), event("note", `"`+strings.Repeat("x", 65535)+`"`),
		event("order_id", ""), event("order_id", "true"), event("order_id", `"`+strings.Repeat("x", 101)+`"`), event("event_time", `"soon"`),
		event("order_revenue", "-1"), event("storefront_id", `"nobody"`), event("event_time", `"2026-01-15T10:15:00"`, "order_id", `"late"`))
	require.Equal(t, http.StatusAccepted, a.status, a.text)
	got := map[string]bool{}
	for _, e := range a.Errors {
		got[string(e.Code)] = true
	}
	doc := r.document(t, "/openapi.json")
	listed := itemCodes(t, doc, "errors")
	require.Len(t, got, len(listed))
	for _, c := range listed {
		require.True(t, got[c], c)
	}
	require.ElementsMatch(t, []string{"time_without_offset", "count_mismatch"}, itemCodes(t, doc, "warnings"))
}

// TestTheDocumentedNeedOfAFieldIsIngestions drops one field after the other.
func TestTheDocumentedNeedOfAFieldIsIngestions(t *testing.T) {
	t.Parallel()
	schema := object(object(object(newTest(t).document(t, "/openapi.json")["components"])["schemas"])["EventItem"])
	for name, property := range object(schema["properties"]) {
		a := newTest(t).items(t, order(1), event(name, ""))
		required := false
		for _, e := range a.Errors {
			required = required || e.Field == name && e.Code == "missing_field"
		}
		require.Equal(t, required, contains(schema["required"], name), name)
		if limit, ok := object(property)["maxLength"].(float64); ok {
			a := newTest(t).items(t, order(1), event(name, `"`+strings.Repeat("x", int(limit)+1)+`"`))
			require.Equal(t, "field_too_long", string(a.Errors[0].Code), name)
		}
		if also, _ := object(property)["x-also-accepts"].(string); strings.Contains(also, "whole number") {
			require.Empty(t, newTest(t).items(t, order(1), event(name, "12345678901234567890")).Errors, name)
		}
	}
}

func contains(list any, name string) bool {
	all, _ := list.([]any)
	for _, v := range all {
		if v == name {
			return true
		}
	}
	return false
}

// TestTheDocumentSaysWhatEveryRefusalOfABatchMeans compares the codes of each status with the table of all codes.
func TestTheDocumentSaysWhatEveryRefusalOfABatchMeans(t *testing.T) {
	t.Parallel()
	doc := newTest(t).document(t, "/openapi.json")
	description := object(doc["info"])["description"].(string)
	responses := object(object(object(object(doc["paths"])["/v1/events"])["post"])["responses"])
	require.Len(t, responses, 11)
	for status, response := range responses {
		if status == "202" {
			continue
		}
		text := object(response)["description"].(string)
		require.Contains(t, text, "`", "%s names its codes", status)
		for row := range strings.Lines(description) {
			if !strings.HasPrefix(row, "| "+status+" ") {
				continue
			}
			for i, c := range strings.Split(text, "`") {
				if i%2 == 1 {
					require.Contains(t, row, "`"+c+"`", status)
				}
			}
		}
	}
}
