package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"relay/internal/ops"
)

// resource is one kind of configuration as the API shows it: T is stored, View is the response, Input the body of POST and PUT,
// Patch that of PATCH.
type resource[T, View, Input, Patch any] struct {
	entity ops.Entity
	tag    string
	one    string // "a storefront"
	items  Collection[T]

	view func(ops.Record[T]) View
	// start returns a new one before its input is read: the immutable fields, and switches that are on. The id is 0 or the
	// one that it is to have.
	start func(context.Context, *violations, Input) (int64, T, error)
	put   func(f *violations, old T, in Input) T
	patch func(f *violations, old T, in Patch) T
	check func(ctx context.Context, f *violations, v, old T)
	// resetSwitches sets the kill switches of a copy back, to see whether anything else changed.
	resetSwitches func(v *T, old T)
	// written runs after a write, and adds to its response; nil does nothing.
	written func(context.Context, ops.Record[T], *View)
}

type idInput struct {
	ID int64 `path:"id" minimum:"1" maximum:"2147483647" example:"5" doc:"Its id."`
}

type createInput[B any] struct{ Body B }

type changeInput[B any] struct {
	ID      int64  `path:"id" minimum:"1" maximum:"2147483647" example:"5" doc:"Its id."`
	IfMatch string `header:"If-Match" maxLength:"200" example:"\"9f86d081884c7d659a2feaa0\"" doc:"The ETag of the response on which the change is based. If it was changed since, the response is 412."`
	Body    B
}

type deleteInput struct {
	ID      int64  `path:"id" minimum:"1" maximum:"2147483647" example:"5" doc:"Its id."`
	IfMatch string `header:"If-Match" maxLength:"200" example:"\"9f86d081884c7d659a2feaa0\"" doc:"The ETag of the thing to delete. If it was changed since, the response is 412."`
}

type recordOutput[V any] struct {
	ETag string `header:"ETag" example:"\"9f86d081884c7d659a2feaa0\"" doc:"The version, for If-Match."`
	Body V
}

type createdOutput[V any] struct {
	ETag     string `header:"ETag" example:"\"9f86d081884c7d659a2feaa0\"" doc:"The version, for If-Match."`
	Location string `header:"Location" example:"/admin/v1/storefronts/5" doc:"Where it is."`
	Body     V
}

func (r resource[T, View, Input, Patch]) path(tail string) string {
	return "/admin/v1/" + string(r.entity) + tail
}

// route is a row of the table for this resource.
func (r resource[T, View, Input, Patch]) route(need access, verb, method, tail string, handle binding, d doc) route {
	d.id, d.tag = verb+"-"+strings.TrimSuffix(string(r.entity), "s"), r.tag
	return route{need, method, r.path(tail), handle, d}
}

// routes are the rows for single things.
func (r resource[T, View, Input, Patch]) routes() []route {
	return []route{
		r.route(writer, "create", http.MethodPost, "", typed(r.create),
			doc{summary: "Create " + r.one, errors: adminStatuses.create, status: http.StatusCreated}),
		r.route(reader, "get", http.MethodGet, "/{id}", typed(r.get), doc{summary: "Read " + r.one, errors: adminStatuses.read}),
		r.route(writer, "replace", http.MethodPut, "/{id}", typed(r.replace), doc{summary: "Replace " + r.one, errors: adminStatuses.change,
			text: "Everything is replaced: a field that the body leaves out gets its default, and a secret that it leaves out is removed. " +
				"Only kill switches (is_active, fallback) and a storefront's privacy rules (data_policy, require_consent) stay as they are " +
				"unless the body names them."}),
		r.route(writer, "patch", http.MethodPatch, "/{id}", typed(r.change), doc{summary: "Change " + r.one + " in part", errors: adminStatuses.change,
			text: "Fields that the body leaves out stay as they are, secrets included. An empty text or null removes an optional field. " +
				"Fields of credentials and custom_headers are changed one by one; options is replaced as a whole."}),
		r.route(writer, "delete", http.MethodDelete, "/{id}", typed(r.remove), doc{summary: "Delete " + r.one, errors: adminStatuses.remove,
			status: http.StatusNoContent, text: "A resource in use is not deleted: 409 in_use lists its users. An id is never used again."}),
	}
}

func (r resource[T, View, Input, Patch]) output(rec ops.Record[T], err error) (*recordOutput[View], error) {
	if err != nil {
		return nil, err
	}
	return &recordOutput[View]{ETag: etag(rec.Version), Body: r.view(rec)}, nil
}

// wrote returns the response to a write.
func (r resource[T, View, Input, Patch]) wrote(ctx context.Context, rec ops.Record[T], err error) (*recordOutput[View], error) {
	out, err := r.output(rec, err)
	if err == nil && r.written != nil {
		r.written(ctx, rec, &out.Body)
	}
	return out, err
}

func (r resource[T, View, Input, Patch]) create(ctx context.Context, in *createInput[Input]) (*createdOutput[View], error) {
	var f violations
	id, v, err := r.start(ctx, &f, in.Body)
	if err != nil {
		return nil, asSent(ctx, err, in.Body)
	}
	var none T
	v = r.put(&f, v, in.Body)
	r.check(ctx, &f, v, none)
	if err := f.err(); err != nil {
		return nil, err
	}
	rec, err := r.items.Create(ctx, actOf(ctx, ops.ActionCreate), id, v)
	out, err := r.wrote(ctx, rec, err)
	if err != nil {
		return nil, asSent(ctx, err, in.Body)
	}
	return &createdOutput[View]{ETag: out.ETag, Location: r.path(fmt.Sprintf("/%d", rec.ID)), Body: out.Body}, nil
}

// asSent blames the field by which a parent was named: its code, where the body has no id.
func asSent(ctx context.Context, err error, body any) error {
	f := *failureOf(ctx, err)
	what, isID := strings.CutSuffix(f.field, "_id")
	code := what + "_code"
	if !isID || !sends(body, code) || sends(body, f.field) {
		return err
	}
	f.errors = slices.Clone(f.errors)
	for i := range f.errors {
		if f.errors[i].Field == f.field {
			f.errors[i].Field = code
		}
	}
	f.field = code
	return &f
}

// sends reports whether a body has a value under this name.
func sends(body any, name string) bool {
	v := reflect.ValueOf(body)
	for i := range v.NumField() {
		tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if tag == name {
			return !v.Field(i).IsZero()
		}
	}
	return false
}

func (r resource[T, View, Input, Patch]) get(ctx context.Context, in *idInput) (*recordOutput[View], error) {
	return r.output(r.items.Find(ctx, in.ID))
}

func (r resource[T, View, Input, Patch]) replace(ctx context.Context, in *changeInput[Input]) (*recordOutput[View], error) {
	rec, err := r.items.Update(ctx, actOf(ctx, ops.ActionReplace), in.ID, func(rec ops.Record[T]) (T, error) {
		if err := matches(in.IfMatch, rec.Version); err != nil {
			return rec.Value, err
		}
		var f violations
		return r.checked(ctx, &f, r.put(&f, rec.Value, in.Body), rec.Value)
	})
	return r.wrote(ctx, rec, err)
}

func (r resource[T, View, Input, Patch]) change(ctx context.Context, in *changeInput[Patch]) (*recordOutput[View], error) {
	rec, err := r.items.Update(ctx, actOf(ctx, ops.ActionPatch), in.ID, func(rec ops.Record[T]) (T, error) {
		if err := matches(in.IfMatch, rec.Version); err != nil {
			return rec.Value, err
		}
		var f violations
		return r.checked(ctx, &f, r.patch(&f, rec.Value, in.Body), rec.Value)
	})
	return r.wrote(ctx, rec, err)
}

// checked allows a kill switch to be set even if the stored settings are invalid.
func (r resource[T, View, Input, Patch]) checked(ctx context.Context, f *violations, v, old T) (T, error) {
	reset := v
	r.resetSwitches(&reset, old)
	if !reflect.DeepEqual(reset, old) {
		r.check(ctx, f, v, old)
	}
	return v, f.err()
}

func (r resource[T, View, Input, Patch]) remove(ctx context.Context, in *deleteInput) (*struct{}, error) {
	return nil, r.items.Delete(ctx, actOf(ctx, ops.ActionDelete), in.ID, func(rec ops.Record[T]) error {
		return matches(in.IfMatch, rec.Version)
	})
}

func etag(version string) string { return `"` + version + `"` }

// matches refuses a change that is based on another version. A proxy that compresses makes our ETag a weak one.
func matches(ifMatch, version string) error {
	if ifMatch == "" {
		return nil
	}
	for tag := range strings.SplitSeq(ifMatch, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == etag(version) {
			return nil
		}
	}
	return refuse(codeVersionMismatch)
}

// Patched is a field of a patch: whether it was there, and whether it was null.
type Patched[T any] struct {
	Set, Null bool
	Value     T
}

// UnmarshalJSON is called only where the field is there.
func (p *Patched[T]) UnmarshalJSON(b []byte) error {
	p.Set, p.Null = true, string(b) == "null"
	if p.Null {
		return nil
	}
	return decodeStrictly(b, &p.Value)
}

// Schema is the value's.
func (p Patched[T]) Schema(r huma.Registry) *huma.Schema { return schemaFor[T](r) }

// to sets a field that must have a value.
func (p Patched[T]) to(v *violations, field string, target *T) {
	switch {
	case p.Null:
		v.add(field, codeWrongType, "the field may be left out, but not be null")
	case p.Set:
		*target = p.Value
	}
}

// orNone sets a field that may be empty.
func (p Patched[T]) orNone(target *T) {
	if p.Set {
		*target = p.Value // the zero value, where it is null
	}
}

// switchedAt is a time that may be missing.
func switchedAt(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
