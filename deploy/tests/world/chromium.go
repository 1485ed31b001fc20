package world

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Chromium opens a headless one, with a window of this size and for this long at most. Without one the test is skipped, unless
// BROWSER=required, as CI has it.
func Chromium(t *testing.T, width, height int, most time.Duration) context.Context {
	t.Helper()
	path := ""
	for _, program := range []string{"google-chrome", "chromium-browser", "chromium"} {
		if found, err := exec.LookPath(program); err == nil {
			path = found
		}
	}
	if path == "" && os.Getenv("BROWSER") != "required" {
		t.Skip("no Chromium on the PATH: apt-get install chromium")
	}
	// Without its sandbox, because tests may run as root, where Chromium refuses to have one. It opens the project's own pages only.
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(width, height))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // it knows not all that a newer Chromium says
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, most)
	t.Cleanup(cancel)
	return ctx
}
