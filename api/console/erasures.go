package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// erasurePages are the erasures.
func erasurePages() []page {
	const place = "Erasures"
	return []page{
		{path: "erasures", place: place, title: "Erasures", template: "erasures", show: showErasures},
		{path: "erasures/_new", place: place, title: "New erasure", template: "erasure-new", show: func(*visit) (any, error) { return nil, nil }, act: erase},
		{path: "erasures/{id}", place: place, title: "Erasure", template: "erasure", show: showErasure},
	}
}

// Erasure is how far one is. Whom it is about is nowhere.
type Erasure struct {
	ID           int64      `json:"id"`
	Kind         string     `json:"kind"`
	State        string     `json:"state"`
	Hash         string     `json:"subject_hash"`
	StorefrontID int64      `json:"storefront_id"`
	By           string     `json:"created_by"`
	CreatedAt    time.Time  `json:"created_at"`
	EndedAt      *time.Time `json:"ended_at"`
	Total        int64      `json:"total"`
	Scanned      int64      `json:"scanned"`
	Matched      int64      `json:"matched"`
	Erased       int64      `json:"erased"`
	WorkflowURL  string     `json:"workflow_url"`
}

// Running reports whether the erasure has not ended.
func (e Erasure) Running() bool { return e.State == "running" }

// Subject is the kind of what is erased, in a word.
func (e Erasure) Subject() string {
	if e.Kind == "external_id" {
		return "person"
	}
	return e.Kind
}

type erasures struct {
	State       string
	States      []chip
	Items       []Erasure
	Problem     *Problem
	First, More string
}

func showErasures(v *visit) (any, error) {
	e := erasures{State: v.query.Get("state")}
	for _, s := range []struct{ text, state string }{{"All", ""}, {"Running", "running"}, {"Done", "done"}} {
		e.States = append(e.States, chip{s.text, address("erasures", join("state", s.state)), s.state == e.State})
	}
	var list struct {
		Items      []Erasure `json:"items"`
		NextCursor string    `json:"next_cursor"`
	}
	e.Problem = problemOf(v.get("/admin/v1/erasures", join("state", e.State, "limit", "50", "cursor", v.query.Get("cursor")), &list))
	e.Items = list.Items
	if v.query.Get("cursor") != "" {
		e.First = address("erasures", join("state", e.State))
	}
	if list.NextCursor != "" {
		e.More = address("erasures", join("state", e.State, "cursor", list.NextCursor))
	}
	return e, nil
}

func showErasure(v *visit) (any, error) {
	var e Erasure
	err := v.get("/admin/v1/erasures/"+segment(v.part("id")), nil, &e)
	v.title = "Erasure " + v.part("id")
	return e, err
}

// subjects are the kinds of an erasure, by the word that is typed to confirm it, with REST's field.
var subjects = map[string]string{"order": "order_id", "person": "external_id"}

// erase begins an erasure. What it looks for is in no address: the page that follows has a hash of it.
func erase(v *visit) (next, error) {
	kind, subject := v.form.Get("kind"), strings.TrimSpace(v.form.Get("subject"))
	field := subjects[kind]
	switch {
	case field == "":
		return next{}, v.unknownForm()
	case strings.TrimSpace(v.form.Get("typed")) != kind:
		return next{}, &Problem{Status: http.StatusUnprocessableEntity, Code: "confirm_mismatch", Field: "typed", RequestID: v.id,
			Detail: "Type " + kind + " to confirm. Nothing was erased."}
	}
	body := map[string]any{field: subject}
	if code := strings.TrimSpace(v.form.Get("storefront")); code != "" {
		body["storefront"] = code
	}
	var e Erasure
	if err := v.post("/admin/v1/erasures", nil, body, &e); err != nil {
		return next{}, err
	}
	return v.done("erasures/" + strconv.FormatInt(e.ID, 10)), nil
}
