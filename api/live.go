package api

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

const (
	tagLive = "Live"

	heartbeatEvery = 15 * time.Second
	liveWrite      = 30 * time.Second // for a client to take what is written
	eventStream    = "text/event-stream"
)

var liveDestination = regexp.MustCompile(`^[A-Za-z0-9_-]{1,50}$`)

func (s *server) liveRoutes() []route {
	if s.feed == nil {
		return nil
	}
	return []route{{reader, http.MethodGet, "/admin/v1/live", raw(s.live),
		doc{id: "get-live", tag: tagLive, summary: "Follow what happens", errors: badInput, text: liveText, describe: describeLive}}}
}

// live streams events until the client leaves or the process is about to stop.
func (s *server) live(c *gin.Context, _ *requestLog) error {
	filter, err := liveParams(c)
	if err != nil {
		return err
	}
	l, first, err := s.feed.join(filter)
	if err != nil {
		return err
	}
	defer s.feed.leave(l)
	out := &stream{c: c, control: http.NewResponseController(c.Writer)}
	_ = out.control.SetReadDeadline(time.Time{}) // nothing more is read; one that passes would end the request
	c.Header("Content-Type", eventStream)
	c.Header("X-Accel-Buffering", "no") // nginx passes on what there is
	c.Status(http.StatusOK)
	if c.Request.Method == http.MethodHead || !out.write("retry: 3000\n\n") {
		return nil
	}
	for _, m := range first {
		if !out.send(m) {
			return nil
		}
	}
	heartbeat := time.NewTicker(heartbeatEvery)
	defer heartbeat.Stop()
	for {
		ok := false
		select {
		case <-c.Request.Context().Done():
		case <-s.deps.Stopping:
		case m, open := <-l.messages:
			ok = open && out.send(m)
		case <-heartbeat.C:
			ok = out.write(": heartbeat\n\n")
		}
		if !ok {
			return nil
		}
	}
}

// stream writes server-sent events.
type stream struct {
	c       *gin.Context
	control *http.ResponseController
}

func (s *stream) send(m liveMessage) bool {
	return s.write("event: " + string(m.kind) + "\ndata: " + string(m.data) + "\n\n")
}

// write reports whether the client is still there. The server's own time for a response does not count.
func (s *stream) write(text string) bool {
	_ = s.control.SetWriteDeadline(time.Now().Add(liveWrite))
	if _, err := s.c.Writer.WriteString(text); err != nil {
		return false
	}
	return s.control.Flush() == nil
}

// liveParams reads the query. The route is not typed, so nothing else does.
func liveParams(c *gin.Context) (liveFilter, error) {
	var f liveFilter
	for name, values := range c.Request.URL.Query() {
		value := strings.Join(values, ",")
		if value == "" && slices.Contains(liveNames, name) { // a form sends its empty fields, too
			continue
		}
		parts := strings.Split(value, ",")
		var ok bool
		switch name {
		case "storefront":
			f.storefront, ok = value, len(value) <= 50
		case "destination":
			f.destination, ok = value, liveDestination.MatchString(value)
		case "outcome":
			f.outcomes, ok = parts, !slices.ContainsFunc(parts, func(p string) bool { return !liveDestination.MatchString(p) })
		case "kinds":
			f.kinds = parts
			ok = !slices.ContainsFunc(parts, func(p string) bool { return !slices.Contains(liveKinds, p) })
		default:
			return f, refuseField(codeInvalidParameter, name, "there is no such parameter here; valid ones are "+strings.Join(liveNames, ", "))
		}
		if !ok {
			return f, refuseField(codeInvalidParameter, name, codeInvalidParameter.message())
		}
	}
	return f, nil
}

var liveNames = []string{"destination", "kinds", "outcome", "storefront"}

var liveKinds = []string{string(kindFigures), string(kindAttempt), string(kindReplay), string(kindHealth)}

func describeLive(_ *registry, op *huma.Operation) {
	text := func(name, example, about string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: about, Schema: &huma.Schema{Type: huma.TypeString}, Example: example}
	}
	op.Parameters = append(op.Parameters,
		text("kinds", "figures,health", "Only these kinds of events, several with commas between: figures, attempt, replay, health."),
		text("storefront", "bosley", "Only attempts and health of the storefront with this code."),
		text("destination", "sgtm", "Only attempts and health of this destination: sgtm, or a platform's code."),
		text("outcome", "retry", "Only attempts with these outcomes, several with commas between."))
	op.Responses["200"] = &huma.Response{Description: "A stream that does not end by itself.", Content: map[string]*huma.MediaType{
		eventStream: {Schema: &huma.Schema{Type: huma.TypeString}, Example: "event: figures\ndata: {\"received\":204,\"failed\":47}\n\n"}}}
}
