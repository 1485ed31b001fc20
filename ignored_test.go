package relay_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSecretsStayOutOfGit asks git itself: one "git add -A" must not commit the files that the documents have people write.
func TestSecretsStayOutOfGit(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(".git"); err != nil {
		t.Skip("this is no checkout")
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	for path, ignored := range map[string]bool{
		".env": true, ".env.production": true, ".env.local": true, ".env.bak": true, "deploy/compose/.env": true,
		"deploy/kubernetes/overlays/example/relay.env": true, "deploy/kubernetes/overlays/production/relay.env": true, "relay.env": true,
		".dev/secrets.env": true, ".env.example": false, "README.md": false, "cmd/config.go": false,
	} {
		err := exec.CommandContext(t.Context(), "git", "check-ignore", "--quiet", "--no-index", path).Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			require.Equal(t, 1, exit.ExitCode(), path)
		}
		require.Equal(t, ignored, err == nil, path)
	}
}
