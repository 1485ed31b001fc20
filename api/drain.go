package api

import (
	"io"
	"net/http"
	"time"
)

// Bounds of draining a refused body. Clients such as Python's http.client write all of a request
// before they read: if the connection were closed under them, they would see a broken pipe instead of the response.
const (
	drainBytes   = 2 * defaultMaxBody
	drainTimeout = 10 * time.Second
)

// unclosed is a body that its readers cannot close: of a closed one the rest cannot be read. The server closes it in the end.
type unclosed struct{ io.Reader }

// Close does nothing.
func (unclosed) Close() error { return nil }

// draining reads the rest of a body that was refused, within bounds, before the server closes its connection.
type draining struct{ next http.Handler }

func (d *draining) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := r.Body
	r.Body = unclosed{body}
	d.next.ServeHTTP(w, r)
	// A client that sent Expect has its response, and without a server there is no connection.
	if r.Header.Get("Expect") != "" || r.Context().Value(http.ServerContextKey) == nil {
		return
	}
	if http.NewResponseController(w).SetReadDeadline(time.Now().Add(drainTimeout)) == nil {
		_, _ = io.CopyN(io.Discard, body, drainBytes) // the server meets the same error, and closes the connection
	}
}
