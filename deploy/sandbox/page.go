package sandbox

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
)

// shown is the number of requests on the page, the latest ones.
const shown = 200

var page = template.Must(template.New("page").Funcs(template.FuncMap{"pretty": pretty}).Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sandbox</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
summary { cursor: pointer } code, pre { font: 13px/1.4 ui-monospace, monospace }
pre { background: #8881; overflow-x: auto; padding: .7rem } .response { font-weight: 600 }
</style>
<h1>Sandbox</h1>
<p>Simulates sGTM and the platforms. {{.Total}} deliveries so far; the latest {{len .Requests}} are below, newest first.</p>
{{range .Requests}}<details><summary><code>{{.Time.Format "15:04:05.000"}} {{.Method}} {{.Path}}</code>
response <span class="response">{{.Answer}}</span> {{.Key}}</summary>
<pre>{{.Method}} {{.Path}}{{if .Query}}?{{.Query}}{{end}}
{{range $name, $values := .Headers}}{{range $values}}{{$name}}: {{.}}
{{end}}{{end}}
{{pretty .Body}}</pre></details>
{{else}}<p>Nothing has arrived yet.</p>{{end}}
`))

func (s *Sandbox) page(w http.ResponseWriter, _ *http.Request) {
	requests := s.Requests("", 0)
	requests = requests[max(0, len(requests)-shown):]
	slices.Reverse(requests)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_ = page.Execute(w, struct {
		Total    int64
		Requests []Request
	}{s.Total(), requests}) // the client may have closed the connection
}

// pretty indents JSON and returns everything else unchanged.
func pretty(body string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(body), "", "  ") != nil {
		return body
	}
	return out.String()
}
