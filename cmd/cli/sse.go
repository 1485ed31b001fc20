package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// silence is how long a stream may send nothing: the relay writes a comment every 15 seconds.
const silence = 45 * time.Second

// maxLine bounds a line of a stream.
const maxLine = 1 << 20

// streamClient has no time-out for a whole response, which does not end.
func streamClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, ResponseHeaderTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// stream reads server-sent events until the stream ends, is silent for too long, or ctx ends. begun is called with the relay's
// clock once it has begun.
func (r *remote) stream(ctx context.Context, client *http.Client, path string, q url.Values, begun func(time.Time), message func(kind, data string) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	res, err := r.do(ctx, client, http.MethodGet, path, q, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		return errors.New("the response is not a stream of a relay")
	}
	at, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		at = time.Now()
	}
	begun(at)
	watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	err = readEvents(res.Body, func() { watchdog.Reset(silence) }, message)
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return cause
	}
	return err
}

var (
	errSilent = errors.New("it sent nothing for too long")
	errEnded  = errors.New("it ended")
)

// readEvents reads the events of a stream; heard is called for each line.
func readEvents(in io.Reader, heard func(), message func(kind, data string) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	kind, data := "", ""
	for lines.Scan() {
		heard()
		line := lines.Text()
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && data != "":
			if err := message(kind, data); err != nil {
				return err
			}
			kind, data = "", ""
		case line == "":
			kind = ""
		case name == "event":
			kind = value
		case name == "data" && data != "":
			data += "\n" + value
		case name == "data":
			data = value
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errEnded
}
