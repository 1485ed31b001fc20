package api

import (
	"context"
	"net/http"
	"sync"

	"github.com/gin-gonic/gin"

	"relay/api/console"
)

// mountConsole serves the console, where it is wanted, and leads browsers from / to it. Its pages have a table of their own, and
// reach what they show through the routes of this API, logins included.
func (s *server) mountConsole(e *gin.Engine) {
	if !s.cfg.Console || s.cfg.Role == RoleWorker {
		return
	}
	pages := console.New(e, s.deps.Log)
	serve := func(c *gin.Context) {
		pages.ServeHTTP(c.Writer, c.Request.WithContext(context.WithValue(c.Request.Context(), lookedUpKey{}, &lookedUp{ids: map[string]int64{}})))
	}
	e.GET(console.Prefix+"*page", serve)
	e.POST(console.Prefix+"*page", serve)
	for _, path := range []string{"/", "/console"} {
		e.GET(path, func(c *gin.Context) {
			c.Header("Location", "console/") // relative: a proxy may add a prefix
			c.Status(http.StatusSeeOther)
		})
	}
}

// lookedUp holds the ids of storefronts while a page is made: its calls, at the same time, name the same one.
type lookedUp struct {
	mu  sync.Mutex
	ids map[string]int64
}

type lookedUpKey struct{}

// id returns the id of a code, which look finds; 0 is none. Without a page it is looked up.
func (l *lookedUp) id(code string, look func() (int64, error)) (int64, error) {
	if l == nil {
		return look()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if id := l.ids[code]; id != 0 {
		return id, nil
	}
	id, err := look()
	l.ids[code] = id
	return id, err
}
