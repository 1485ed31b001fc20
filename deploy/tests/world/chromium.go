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

// Chromium opens a headless browser with a window of this size, for at most this long. Where no browser is installed, the test is
// skipped; with BROWSER=required, which CI sets, it fails.
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
	// Tests may run as root, where Chromium's sandbox does not start. The browser opens the project's own pages only.
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(width, height))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // chromedp logs events of newer Chromium versions that it does not know
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, most)
	t.Cleanup(cancel)
	return ctx
}
