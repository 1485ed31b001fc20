package api

import (
	"cmp"
	"slices"

	"relay/internal/relay"
)

// batch holds the items of a request body: those that may be stored, and the errors of the others.
type batch struct {
	items    []item
	total    int          // items in data
	bytes    int          // of the body, unpacked
	errors   []ItemError  // as many of each stage as may be listed
	stage    int          // errors of the stages before
	codes    map[code]int // all errors, listed or not
	warnings []ItemError
	rejected map[int]bool // by index
	kept     []byte       // the used part of the newest chunk of payloads
}

// keepChunk is how much room for payloads is made at a time: one piece of memory for many small items.
const keepChunk = 256 << 10

// keep copies a payload out of the window of its body.
func (b *batch) keep(payload []byte) []byte {
	if cap(b.kept)-len(b.kept) < len(payload) {
		b.kept = make([]byte, 0, keepChunk)
	}
	start := len(b.kept)
	b.kept = append(b.kept, payload...)
	return b.kept[start:len(b.kept):len(b.kept)]
}

// item is one acceptable item of a batch.
type item struct {
	index    int
	noOffset bool // its event_time names no offset
	event    relay.NewEvent
	stored   relay.InsertResult
}

// BatchResult counts the outcomes of a batch: the body of a 202, and part of the problem document of a 422.
type BatchResult struct {
	Accepted        int         `json:"accepted" example:"3" doc:"Events that were stored."`
	Duplicates      int         `json:"duplicates" example:"0" doc:"Events that had been stored before, with the same content."`
	Rejected        int         `json:"rejected" example:"0" doc:"Items that were not stored."`
	Errors          []ItemError `json:"errors" doc:"Why items were rejected; at most 1000."`
	ErrorsOmitted   int         `json:"errors_omitted,omitempty" example:"0" doc:"Number of further errors."`
	Warnings        []ItemError `json:"warnings,omitempty" doc:"Warnings about accepted items; at most 1000."`
	WarningsOmitted int         `json:"warnings_omitted,omitempty" example:"0" doc:"Number of further warnings."`
}

// ItemError is one error or warning.
type ItemError struct {
	Index   *int   `json:"index,omitempty" example:"0" doc:"The item's place in data, from 0; missing where the batch itself is meant."`
	EventID string `json:"event_id" example:"2025020100003333" doc:"The item's id; may be empty."`
	Field   string `json:"field" example:"event_time" doc:"The field; empty where the item as a whole is meant."`
	Code    code   `json:"code" example:"invalid_time"`
	Message string `json:"message" example:"the time is not RFC 3339, such as 2026-01-15T10:15:00Z" doc:"The reason, as a text."`
}

// reject notes why an item is refused; an item may have several errors.
func (b *batch) reject(index int, eventID, field string, c code, message string) {
	if b.rejected == nil {
		b.rejected, b.codes = map[int]bool{}, map[code]int{}
	}
	b.rejected[index] = true
	b.codes[c]++
	if len(b.errors)-b.stage < maxListed { // the others only count: a batch of nothing but errors must not fill the memory
		b.errors = append(b.errors, ItemError{Index: &index, EventID: eventID, Field: field, Code: c, Message: message})
	}
}

// rejectWhere refuses the items for which why has a message, and drops them from the acceptable ones.
func (b *batch) rejectWhere(field string, c code, why func(item) string) {
	b.stage = len(b.errors)
	b.items = slices.DeleteFunc(b.items, func(it item) bool {
		message := why(it)
		if message != "" {
			b.reject(it.index, it.event.EventID, field, c, message)
		}
		return message != ""
	})
}

// summary counts the results of the items. Errors are in the order of data.
func (b *batch) summary() *BatchResult {
	s := &BatchResult{Rejected: len(b.rejected), Errors: []ItemError{}}
	for _, it := range b.items {
		if it.stored.Verdict == relay.Duplicate {
			s.Duplicates++
		} else {
			s.Accepted++
		}
		if it.noOffset {
			index := it.index // a copy, so that items stay off the heap
			b.warnings = append(b.warnings, ItemError{Index: &index, EventID: it.event.EventID, Field: fieldTime.name(),
				Code: codeTimeWithoutOffset, Message: codeTimeWithoutOffset.message()})
		}
	}
	slices.SortStableFunc(b.errors, func(a, b ItemError) int { return cmp.Compare(*a.Index, *b.Index) })
	all := 0
	for _, n := range b.codes {
		all += n
	}
	s.Errors, _ = list(append(s.Errors, b.errors...))
	s.ErrorsOmitted = all - len(s.Errors)
	s.Warnings, s.WarningsOmitted = list(b.warnings)
	return s
}

func list(notes []ItemError) ([]ItemError, int) {
	n := min(len(notes), maxListed)
	return notes[:n], len(notes) - n
}

// count reports the outcome of a batch to the meter. Storefronts are those that exist; codes are ours.
func (s *server) count(b *batch) {
	if s.deps.Meter == nil {
		return
	}
	accepted, duplicates, rejected := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range b.items {
		if it := &b.items[i]; it.stored.Verdict == relay.Duplicate {
			duplicates[it.event.StorefrontCode]++
		} else {
			accepted[it.event.StorefrontCode]++
		}
	}
	for c, n := range b.codes {
		rejected[string(c)] = n
	}
	s.deps.Meter.Batch(b.total, accepted, duplicates, rejected)
}
