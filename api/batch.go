package api

import (
	"cmp"
	"slices"

	"relay/internal/relay"
)

// batch is what a request body holds: the items that may be stored, and what is wrong with the others.
type batch struct {
	items    []item
	total    int          // items in data
	bytes    int          // of the body, unpacked
	errors   []note       // as many of each stage as may be listed
	stage    int          // errors of the stages before
	codes    map[code]int // all errors, listed or not
	warnings []note
	rejected map[int]bool // by index
	kept     []byte       // what is used of the newest chunk of payloads
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
	stored   relay.Stored
}

// note is one error or warning. It names the item and the field, and of what was sent only the event_id.
type note struct {
	Index   *int   `json:"index,omitempty"` // of the item in data; absent where the batch itself is meant
	EventID string `json:"event_id"`
	Field   string `json:"field"`
	Code    code   `json:"code"`
	Message string `json:"message"`
}

// summary is what became of a batch: the answer of 202, and members of the problem document of 422.
type summary struct {
	Accepted        int    `json:"accepted"`
	Duplicates      int    `json:"duplicates"`
	Rejected        int    `json:"rejected"`
	Errors          []note `json:"errors"`
	ErrorsOmitted   int    `json:"errors_omitted,omitempty"`
	Warnings        []note `json:"warnings,omitempty"`
	WarningsOmitted int    `json:"warnings_omitted,omitempty"`
}

// reject notes why an item is refused; an item may have several errors.
func (b *batch) reject(index int, eventID, field string, c code, message string) {
	if b.rejected == nil {
		b.rejected, b.codes = map[int]bool{}, map[code]int{}
	}
	b.rejected[index] = true
	b.codes[c]++
	if len(b.errors)-b.stage < maxListed { // the others only count: a batch of nothing but errors must not fill the memory
		b.errors = append(b.errors, note{Index: &index, EventID: eventID, Field: field, Code: c, Message: message})
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

// summary counts what became of every item. Errors are in the order of data.
func (b *batch) summary() *summary {
	s := &summary{Rejected: len(b.rejected), Errors: []note{}}
	for _, it := range b.items {
		if it.stored.Verdict == relay.Duplicate {
			s.Duplicates++
		} else {
			s.Accepted++
		}
		if it.noOffset {
			index := it.index // a copy, so that items stay off the heap
			b.warnings = append(b.warnings, note{Index: &index, EventID: it.event.EventID, Field: fieldTime.name(),
				Code: codeTimeWithoutOffset, Message: messages[codeTimeWithoutOffset]})
		}
	}
	slices.SortStableFunc(b.errors, func(a, b note) int { return cmp.Compare(*a.Index, *b.Index) })
	all := 0
	for _, n := range b.codes {
		all += n
	}
	s.Errors, _ = list(append(s.Errors, b.errors...))
	s.ErrorsOmitted = all - len(s.Errors)
	s.Warnings, s.WarningsOmitted = list(b.warnings)
	return s
}

func list(notes []note) ([]note, int) {
	n := min(len(notes), maxListed)
	return notes[:n], len(notes) - n
}

// count tells the meter what became of a batch. Storefronts are those that exist; codes are ours.
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
