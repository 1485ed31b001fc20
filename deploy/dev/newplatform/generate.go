package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"relay/deploy/dev/platformfiles"
)

// template holds the files of the adapter's folder, outside those of other places.
//
//go:embed template outside
var templates embed.FS

// Generate writes the adapter, its tests and golden files, its player in the sandbox and its section of the page, and adds its lines to
// the files that list platforms. A code that the catalogue lacks gets an entry. It overwrites no file. It returns the files that it
// wrote or changed.
func Generate(ctx context.Context, root, code string) ([]string, error) {
	dir := filepath.Join(platformfiles.Adapters, code)
	if _, err := os.Stat(filepath.Join(root, dir)); err == nil {
		return nil, fmt.Errorf("%s exists", dir)
	}
	p, added, err := find(root, code)
	if err != nil {
		return nil, err
	}
	written, err := p.render(root, dir)
	if err != nil {
		return written, err
	}
	for _, step := range []func(string) ([]string, error){added, p.cases, p.lines} {
		files, err := step(root)
		if written = append(written, files...); err != nil {
			return written, err
		}
	}
	for _, cmd := range []struct {
		dir  string
		args []string
	}{{root, []string{"test", "./" + filepath.ToSlash(dir), "-run", "TestRequests", "-update"}}, {filepath.Join(root, "deploy"), []string{"generate", "./dev/catalogue"}}} {
		run := exec.CommandContext(ctx, "go", cmd.args...)
		run.Dir = cmd.dir
		if out, err := run.CombinedOutput(); err != nil {
			return written, fmt.Errorf("go %s: %w\n%s", strings.Join(cmd.args, " "), err, out)
		}
	}
	return append(written, filepath.Join(dir, "testdata"), "docs/AD-ANALYTICS-PLATFORMS.md"), nil
}

// find returns a platform of the catalogue, or a new one, and the step that adds a new one's entry.
func find(root, code string) (platform, func(string) ([]string, error), error) {
	text, err := platformfiles.Entry(root, code)
	if err != nil {
		return platform{}, nil, err
	}
	add := func(string) ([]string, error) { return nil, nil }
	if text == nil {
		if !codeForm.MatchString(code) {
			return platform{}, nil, fmt.Errorf("%s: the code is not usable as the name of a folder", code)
		}
		text = newEntry(code)
		add = func(root string) ([]string, error) {
			return []string{platformfiles.Catalogue}, addEntry(filepath.Join(root, platformfiles.Catalogue), text)
		}
	}
	var e entry
	if err := json.Unmarshal(text, &e); err != nil {
		return platform{}, nil, fmt.Errorf("%s, %s: %w", platformfiles.Catalogue, code, err)
	}
	p, err := newPlatform(e)
	return p, add, err
}

// render executes every template. platform.go is renamed to the package's name; the templates of outside have places of their own.
func (p platform) render(root, dir string) ([]string, error) {
	var written []string
	err := fs.WalkDir(templates, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "template/"), ".tmpl")
		file := filepath.Join(dir, filepath.FromSlash(name))
		switch name {
		case "platform.go":
			file = filepath.Join(dir, p.Package+".go")
		case "outside/player.go":
			file = filepath.Join(platformfiles.PlayerFiles, p.Package+".go")
		case "outside/page.md":
			file = filepath.Join(platformfiles.Texts, p.Code+".md")
		}
		text, err := p.execute(path)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		written = append(written, file)
		return create(filepath.Join(root, file), text)
	})
	return written, err
}

// create writes a file that is not there yet.
func create(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // source code
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // source code
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func (p platform) execute(path string) ([]byte, error) {
	t, err := template.ParseFS(templates, path)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".go.tmpl") {
		return format.Source(b.Bytes())
	}
	return b.Bytes(), nil
}
