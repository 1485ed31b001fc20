package console_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// axe is the checker's script, which npm installs once into .cache. Where there is no npm, or no registry, accessibility is not
// checked, unless BROWSER=required, as CI has it.
var axe = sync.OnceValues(func() (string, error) {
	tools, err := filepath.Abs("../../../.cache/console-axe")
	if err != nil {
		return "", err
	}
	script := filepath.Join(tools, "node_modules/axe-core/axe.min.js")
	if b, err := os.ReadFile(script); err == nil {
		return string(b), nil
	}
	if err := os.MkdirAll(tools, 0o755); err != nil {
		return "", err
	}
	want, err := os.ReadFile("package.json")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(tools, "package.json"), want, 0o644); err != nil {
		return "", err
	}
	if out, err := exec.Command("npm", "install", "--prefix", tools, "--silent", "--no-audit", "--no-fund", "--ignore-scripts").CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm: %w: %s", err, out)
	}
	b, err := os.ReadFile(script)
	return string(b), err
})

// violation is something that axe found.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// accessible requires that axe finds nothing against WCAG 2.2 AA on the page. It comes over the browser's own protocol, so that
// the page's policy stays on.
func (b *tab) accessible(t *testing.T, where string) {
	t.Helper()
	script, err := axe()
	if err != nil && os.Getenv("BROWSER") != "required" {
		t.Log("accessibility is not checked:", err)
		return
	}
	require.NoError(t, err)
	b.do(chromedp.Evaluate(script+";0", nil))
	var result string
	b.do(chromedp.Evaluate(`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => JSON.stringify(r.violations))`, &result, awaited))
	var found []violation
	require.NoError(t, json.Unmarshal([]byte(result), &found))
	for _, v := range found {
		for _, n := range v.Nodes[:min(len(v.Nodes), 3)] {
			t.Errorf("%s: %s: %s\n%s\n%s", where, v.ID, v.Help, n.HTML, n.Summary)
		}
	}
}
