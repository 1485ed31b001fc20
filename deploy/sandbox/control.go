package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

const controlPrefix = "/_control/"

// maxScript bounds a script's body, in bytes.
const maxScript = 8 << 20

func (s *Sandbox) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /_control/answers", s.putAnswers)
	mux.HandleFunc("DELETE /_control/answers", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearAnswers()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /_control/requests", s.getRequests)
	mux.HandleFunc("DELETE /_control/requests", func(w http.ResponseWriter, _ *http.Request) {
		s.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /_control/counts", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Counts()) })
	mux.HandleFunc("GET /_control/total", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Total()) })
	mux.HandleFunc("GET /_control/arrivals", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Arrivals()) })
	mux.HandleFunc("GET /healthy", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })
	mux.HandleFunc("GET /{$}", s.page)
	return mux
}

func (s *Sandbox) putAnswers(w http.ResponseWriter, r *http.Request) {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxScript))
	decoder.DisallowUnknownFields() // a misspelt field would make a test pass for the wrong reason
	var rule Rule
	err := decoder.Decode(&rule)
	if err == nil {
		err = s.Answer(rule)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sandbox) getRequests(w http.ResponseWriter, r *http.Request) {
	var since int64
	if text := r.FormValue("since"); text != "" {
		var err error
		if since, err = strconv.ParseInt(text, 10, 64); err != nil {
			http.Error(w, fmt.Sprintf("since %q: want the seq of a request", text), http.StatusBadRequest)
			return
		}
	}
	writeJSON(w, s.Requests(r.FormValue("path"), since))
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // the client may have closed the connection
}
