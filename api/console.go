package api

import (
	"net/http"

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
	serve := func(c *gin.Context) { pages.ServeHTTP(c.Writer, c.Request) }
	e.GET(console.Prefix+"*page", serve)
	e.POST(console.Prefix+"*page", serve)
	for _, path := range []string{"/", "/console"} {
		e.GET(path, func(c *gin.Context) {
			c.Header("Location", "console/") // relative: a proxy may add a prefix
			c.Status(http.StatusSeeOther)
		})
	}
}
