package console

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed templates
var templateFiles embed.FS

// view is the template of a page with the layout around it.
type view struct{ set *template.Template }

// screen is what the layout shows, and around what. Templates read a page's own data as .Data.
type screen struct {
	Title   string
	Place   string // the entry of the navigation
	Path    string // of the address, below Prefix, with its query
	Bare    bool   // without navigation: the visitor may see nothing
	Visitor visitor
	Bar     counts
	Now     time.Time
	Problem *Problem // why a form was refused, or why there is nothing to show
	Flash   *flash
	Form    formValues
	Once    string
	Stream  string // the parameters of the page's stream
	Data    any
}

// CanWrite reports whether forms are shown.
func (s *screen) CanWrite() bool { return !s.Visitor.ReadOnly }

// Places is the navigation.
func (s *screen) Places() any { return places }

// formValues is a form as it was sent.
type formValues map[string][]string

// Get is a field's first value.
func (f formValues) Get(name string) string {
	if len(f[name]) == 0 {
		return ""
	}
	return f[name][0]
}

// screen fills what the layout needs.
func (v *visit) screen(p page, data any) *screen {
	s := &screen{Title: p.title, Place: p.place, Path: strings.TrimPrefix(v.request.URL.RequestURI(), Prefix), Visitor: v.visitor, Now: v.now, Problem: v.problem,
		Form: formValues(v.form), Once: formID(), Stream: v.stream, Data: data, Bar: v.console.bar.read(v)}
	if v.title != "" {
		s.Title = v.title
	}
	s.Flash = v.flash()
	return s
}

// views are the templates of all pages. They are read once: to escape them takes a moment.
var views = sync.OnceValue(func() map[string]*view {
	all := map[string]*view{}
	for _, p := range append(pages(), notFound, refused) {
		if all[p.template] == nil {
			all[p.template] = parse(p.template)
		}
	}
	return all
})

// base stands for Prefix in what templates and Go code write as an address. It is random, so no text from elsewhere has it.
var base = "/" + rand.Text() + "/"

// parse reads a page's template. One that does not parse stops the start, and with it every test.
func parse(name string) *view {
	set := template.New("").Funcs(functions())
	for _, pattern := range []string{"layout.html", "parts*.html", name + ".html"} {
		files, err := fs.Glob(templateFiles, "templates/"+pattern)
		if err != nil || len(files) == 0 {
			panic("no template " + pattern)
		}
		for _, file := range files {
			source, _ := templateFiles.ReadFile(file) // it is embedded
			template.Must(set.New(path.Base(file)).Parse(strings.ReplaceAll(string(source), Prefix, base)))
		}
	}
	return &view{set}
}

func (v *view) render(w io.Writer, s *screen) error {
	return v.set.ExecuteTemplate(w, "layout.html", s)
}

// relative makes the addresses of a page relative to it.
func relative(page []byte, at string) []byte {
	return bytes.ReplaceAll(page, []byte(base), []byte(root(at)))
}

// functions are those of templates.
func functions() template.FuncMap {
	return template.FuncMap{
		"asset":  embedded().path,
		"shape":  shapeOf,
		"words":  words,
		"number": number,
		"json":   indented,
		"clock":  clock,
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"stamp":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" },
		"ago":    ago,
		"secs":   seconds,
		"span":   span,
		"ms":     milliseconds,
		"plural": plural,
		"join":   strings.Join,
		"ticks":  ticks,
		"field":  field,
		"pair":   func(a, b any) []any { return []any{a, b} },
		"set":    func(s ...string) []string { return s },
	}
}

// shape shows a state by form and colour; a word is always beside it.
type shape struct{ Sign, Class string }

// shapes are those of all states, whatever has them.
var shapes = func() map[string]shape {
	m := map[string]shape{}
	for s, names := range map[shape]string{
		{"●", "ok"}:   "delivered accepted healthy on done ok running_ok",
		{"▲", "warn"}: "failing retry unknown warning quiet interrupted",
		{"■", "bad"}:  "failed rejected unauthorized unhealthy exhausted down",
		{"◐", "busy"}: "pending processing running sending waiting probing",
		{"○", "off"}:  "skipped off blocked cancelled paused not_sent erased",
	} {
		for _, name := range strings.Fields(names) {
			m[name] = s
		}
	}
	return m
}()

func shapeOf(state any) shape {
	if s, ok := shapes[fmt.Sprint(state)]; ok {
		return s
	}
	return shape{"–", "none"}
}

// words is a code as a text.
func words(code any) string { return strings.ReplaceAll(fmt.Sprint(code), "_", " ") }

// number has its thousands apart.
func number(n any) string {
	s := fmt.Sprint(n)
	digits := strings.TrimPrefix(s, "-")
	if strings.Trim(digits, "0123456789") != "" {
		return s
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return strings.TrimSuffix(s, digits) + b.String()
}

// indented is JSON for reading. A text stays a text.
func indented(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	if raw, ok := v.(json.RawMessage); ok {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the template does that
	e.SetIndent("", "  ")
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// clock is a time as short as it is clear: today without its date.
func clock(t, now time.Time) string {
	switch t = t.UTC(); {
	case t.IsZero():
		return "–"
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format(time.TimeOnly)
	case t.Year() == now.Year():
		return t.Format("Jan 2 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// ago is how long before, or until, now.
func ago(t, now time.Time) string {
	if t.After(now) {
		return "in " + span(t.Sub(now))
	}
	return span(now.Sub(t)) + " ago"
}

// seconds is a number of seconds as a duration.
func seconds(s float64) string { return span(time.Duration(s * float64(time.Second))) }

func milliseconds(ms float64) string {
	if ms >= 1000 {
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// span is a duration in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "0 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

// field is a time as a field for one takes it.
func field(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return t.UTC().Format("2006-01-02T15:04")
}

// ticks are the labels of a time axis: its two ends and what lies between.
func ticks(times []time.Time) []string {
	if len(times) == 0 {
		return nil
	}
	layout, n := "15:04", len(times)
	if times[n-1].Sub(times[0]) > 24*time.Hour {
		layout = "Jan 2"
	}
	var labels []string
	for _, i := range []int{0, n / 4, n / 2, 3 * n / 4, n - 1} {
		labels = append(labels, times[i].UTC().Format(layout))
	}
	return labels
}

// plural is a number with its noun.
func plural(n any, one string) string {
	if s := fmt.Sprint(n); s != "1" {
		return number(n) + " " + one + "s"
	}
	return "1 " + one
}

// percent is a share of 1 as a text.
func percent(share float64) string {
	if share > 0 && share < 0.001 {
		return "< 0.1 %"
	}
	return fmt.Sprintf("%.3g %%", 100*share)
}

// short is a value of the audit, on one line, cut where it is long.
func short(v any) string {
	s, most := text(v), 300
	switch v.(type) {
	case []any, map[string]any:
		b, _ := json.Marshal(v) // it was JSON
		s = string(b)
	}
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
