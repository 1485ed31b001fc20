package api

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"relay/internal/relay"
)

// decoder reads a batch in one pass, while its body arrives. It never builds a document: it notes where an item lies, and
// the item's own bytes are stored. jsontext is here for that: it has byte
// offsets of values and errors, and is several times as fast as encoding/json, whose successor it is.
type decoder struct {
	dec   *jsontext.Decoder
	src   *source
	batch *batch
	text  []byte // of the fields of interest of the current item
	count int    // of the envelope; -1 if it has none
	seen  bool   // data
	at    int64  // where the current item begins, or the comma before it
	left  bool   // data has been read to its end

	broken map[int]bool // items that are not JSON, by index; a number replaces each
}

// span is where a value lies in the text of its item's fields.
type span struct{ start, end int }

// decode reads a whole body. Its error is a *failure. An item that is not JSON is skipped.
func decode(src *source) (*batch, error) {
	d := newDecoder(src)
	b, err := d.decode()
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) || !d.seen || d.left {
		return b, d.failure(err)
	}
	refusal := d.failure(err) // before the source counts from elsewhere
	broken, ok, failed := src.salvage(d.at, d.batch.total)
	if failed != nil {
		return nil, readFailure(failed)
	}
	if !ok {
		return nil, refusal
	}
	d.dec, d.broken, d.seen = newDecoder(src).dec, broken, false
	b, err = d.decode()
	return b, d.failure(err)
}

func newDecoder(src *source) *decoder {
	return &decoder{
		// Of a repeated name the last value counts, as for every later reader of the payload. Invalid UTF-8 costs an item,
		// not the batch, so each item looks for it.
		dec:   jsontext.NewDecoder(src, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		src:   src,
		batch: &batch{},
		count: -1,
	}
}

func (d *decoder) decode() (*batch, error) {
	if err := d.envelope(); err != nil {
		return nil, err
	}
	d.batch.bytes = int(d.src.read)
	if d.count >= 0 && d.count != d.batch.total {
		d.batch.warnings = append(d.batch.warnings, ItemError{Field: "count", Code: codeCountMismatch,
			Message: fmt.Sprintf("count is not the number of items in data, which is %d", d.batch.total)})
	}
	return d.batch, nil
}

// envelope reads the object around the items. The indices and URLs of paging are ignored: any type is accepted.
func (d *decoder) envelope() error {
	t, err := d.dec.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != '{' {
		return refuse(codeNotAnObject)
	}
	for d.dec.PeekKind() != '}' {
		name, err := d.dec.ReadValue()
		if err != nil {
			return err
		}
		switch text, _ := unquote(name); text {
		case "data":
			err = d.data()
		case "count":
			err = d.readCount()
		default:
			err = d.dec.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return err
	}
	if err := d.end(); err != nil {
		return err
	}
	if !d.seen {
		return refuseField(codeMissingField, "data", "the list named data is missing")
	}
	return nil
}

// end makes sure that nothing but white space follows. It reads on to the end of the body, gzip's checksum included.
func (d *decoder) end() error {
	at := d.src.sent(d.dec.InputOffset())
	if _, err := d.dec.ReadToken(); err == nil {
		return malformed(at)
	} else if err != io.EOF { //nolint:errorlint // jsontext promises io.EOF itself
		return err
	}
	return nil
}

// readCount understands a number and a numeric string; anything else counts as no count.
func (d *decoder) readCount() error {
	v, err := d.dec.ReadValue()
	if err != nil {
		return err
	}
	d.count = -1
	if n, err := strconv.Atoi(strings.Trim(string(v), `"`)); err == nil {
		d.count = n
	}
	return nil
}

func (d *decoder) data() error {
	if d.seen {
		return refuseField(codeRepeatedField, "data", "there is more than one list named data")
	}
	switch d.dec.PeekKind() {
	case '[':
		d.seen = true
	case 'n':
		return d.dec.SkipValue()
	case 0:
		_, err := d.dec.ReadValue()
		return err
	default:
		return refuseField(codeWrongType, "data", "data must be a list")
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return err
	}
	for d.at = d.dec.InputOffset(); d.dec.PeekKind() != ']'; d.batch.total++ {
		if d.batch.total == maxItems && d.dec.PeekKind() != 0 {
			return refuseField(codeTooManyItems, "data", codeTooManyItems.message())
		}
		if err := d.item(d.batch.total); err != nil {
			return err
		}
		d.at = d.dec.InputOffset()
	}
	_, err := d.dec.ReadToken()
	d.left = err == nil
	return err
}

// item reads one item; its error is one of the whole body.
func (d *decoder) item(index int) error {
	if k := d.dec.PeekKind(); k != '{' {
		if err := d.dec.SkipValue(); err != nil {
			return err
		}
		c := codeInvalidItem
		if d.broken[index] {
			c = codeInvalidJSON
		}
		d.batch.reject(index, "", "", c, c.message())
		return nil
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return err
	}
	start := d.dec.InputOffset() - 1
	d.text = d.text[:0]
	var fields [fieldCount]span
	for d.dec.PeekKind() != '}' {
		if err := d.member(&fields); err != nil {
			return err
		}
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return err
	}
	raw := rawItem{index: index, bytes: d.src.take(start, d.dec.InputOffset())}
	for f, s := range fields {
		raw.fields[f] = d.text[s.start:s.end]
	}
	if it, ok := raw.check(d.batch); ok {
		it.event.Payload = d.batch.keep(raw.bytes)
		it.event.Digest = sha256.Sum256(raw.bytes)
		d.batch.items = append(d.batch.items, it)
	}
	return nil
}

// member reads one name and value of an item and keeps the value if it is one that we look at.
func (d *decoder) member(fields *[fieldCount]span) error {
	name, err := d.dec.ReadValue()
	if err != nil {
		return err
	}
	f, ok := fieldNamed(name)
	if !ok {
		return d.dec.SkipValue()
	}
	v, err := d.dec.ReadValue()
	if err != nil {
		return err
	}
	if len(v) > relay.MaxPayload {
		v = nil // the item is too large, whatever it says
	}
	fields[f] = span{len(d.text), len(d.text) + len(v)}
	d.text = append(d.text, v...)
	return nil
}

// failure returns the error that ended reading, if any: our own refusal, a body that could not be read, or malformed JSON.
// jsontext's texts quote the body, so they are not used.
func (d *decoder) failure(err error) error {
	var f *failure
	var syntax *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case d.src.ended != nil:
		return readFailure(d.src.ended)
	case errors.As(err, &syntax):
		return malformed(d.src.sent(syntax.ByteOffset))
	}
	return malformed(d.src.read)
}

func malformed(offset int64) *failure {
	f := refuseWith(codeMalformedJSON, fmt.Sprintf("the body is not valid JSON: syntax error at byte %d", offset))
	f.offset = &offset
	return f
}
