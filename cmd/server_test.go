package cmd_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/cmd"
)

// TestEveryWaitForAClientIsBounded holds that no client keeps a connection for ever, and that the time for a response, which
// begins with the request, has room for a body on a slow line and the longest operation of 20 s.
func TestEveryWaitForAClientIsBounded(t *testing.T) {
	t.Parallel()
	s := cmd.NewServer(http.NotFoundHandler())
	require.Positive(t, s.ReadHeaderTimeout)
	require.Positive(t, s.ReadTimeout)
	require.GreaterOrEqual(t, s.WriteTimeout, s.ReadTimeout+30*time.Second)
	require.LessOrEqual(t, s.WriteTimeout, 5*time.Minute)
}
