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
)

const (
	registryFile  = "adapters/adapters.go"
	catalogueFile = "db/migrations/platform-catalogue.json"
)

//go:embed template
var templates embed.FS

// Generate writes the folder adapters/<code>, registers the adapter and renders its golden files. It overwrites no file. It
// returns the files that it wrote or changed.
func Generate(ctx context.Context, root, code string) ([]string, error) {
	p, err := find(root, code)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join("adapters", code)
	if _, err := os.Stat(filepath.Join(root, dir)); err == nil {
		return nil, fmt.Errorf("%s exists", dir)
	}
	written, err := p.render(root, dir)
	if err != nil {
		return written, err
	}
	if err := p.register(filepath.Join(root, registryFile)); err != nil {
		return written, err
	}
	written = append(written, registryFile)
	golden := exec.CommandContext(ctx, "go", "test", "./"+filepath.ToSlash(dir), "-update")
	golden.Dir = root
	if out, err := golden.CombinedOutput(); err != nil {
		return written, fmt.Errorf("golden files: %w\n%s", err, out)
	}
	return append(written, filepath.Join(dir, "testdata")), nil
}

// find returns a platform of the catalogue.
func find(root, code string) (platform, error) {
	text, err := os.ReadFile(filepath.Join(root, catalogueFile))
	if err != nil {
		return platform{}, err
	}
	var all []entry
	if err := json.Unmarshal(text, &all); err != nil {
		return platform{}, fmt.Errorf("%s: %w", catalogueFile, err)
	}
	for _, e := range all {
		if e.Code == code {
			return newPlatform(e)
		}
	}
	return platform{}, fmt.Errorf("%s is not in %s", code, catalogueFile)
}

// render executes every template into the folder. platform.go is renamed to the package's name.
func (p platform) render(root, dir string) ([]string, error) {
	var written []string
	err := fs.WalkDir(templates, "template", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "template/"), ".tmpl")
		if name == "platform.go" {
			name = p.Package + ".go"
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		text, err := p.execute(path)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		target := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // source code
			return err
		}
		written = append(written, file)
		return os.WriteFile(target, text, 0o644) //nolint:gosec // source code
	})
	return written, err
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

// register adds the import and the line of the registry; format.Source sorts the imports.
func (p platform) register(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	const lastImport, end = "\t\"relay/internal/relay\"\n", "\t}\n}\n"
	if !bytes.Contains(text, []byte(lastImport)) || !bytes.HasSuffix(text, []byte(end)) {
		return fmt.Errorf("%s has another form: add the adapter by hand", file)
	}
	text = bytes.Replace(text, []byte(lastImport), []byte("\t"+p.Import()+"\n"+lastImport), 1)
	text = append(bytes.TrimSuffix(text, []byte(end)), []byte("\t\t\""+p.Code+"\": "+p.Package+".Adapter{},\n"+end)...)
	if text, err = format.Source(text); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644) //nolint:gosec // source code
}
