package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/format"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"relay/deploy/dev/platformfiles"
)

// insertion is a text that is inserted before another one in a file, the first after an anchor.
type insertion struct{ anchor, before, text string }

// lines adds the platform's line to each file that lists platforms.
func (p platform) lines(root string) ([]string, error) {
	var account []string
	for _, f := range slices.Concat(p.Settings, p.Secrets) {
		account = append(account, fmt.Sprintf("%q: %q", f.Field, f.Example))
	}
	short, _, _ := strings.Cut(p.Name, " ")
	changes := map[string][]insertion{
		platformfiles.Registry: {
			{"import (", "\t\"relay/internal/relay\"\n", "\t" + p.Import() + "\n"},
			{"return map[string]relay.Adapter{", "\t}\n}", fmt.Sprintf("\t\t%q: %s.Adapter{},\n", p.Code, p.Package)},
		},
		platformfiles.Players:  {{"var platforms = map", "}\n\n", fmt.Sprintf("\t%q: %s,\n", p.Code, p.Package)}},
		platformfiles.Accounts: {{"var accounts = map", "}\n\n", fmt.Sprintf("\t%q: {%s},\n", p.Code, strings.Join(account, ", "))}},
		platformfiles.Page: {
			{"import (", "\t\"relay/adapters/canonical\"\n", "\t" + p.Import() + "\n"},
			{"var order = ", "}\n", fmt.Sprintf(", %q", p.Code)},
			{"var platforms = map", "}\n\n", fmt.Sprintf("\t%q: {Short: %q, EventNames: %s.Events},\n", p.Code, short, p.Package)},
		},
	}
	files := slices.Sorted(maps.Keys(changes))
	for _, file := range files {
		if err := insert(filepath.Join(root, file), changes[file]); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return files, nil
}

// insert changes a file of Go; format.Source sorts the imports.
func insert(path string, list []insertion) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, i := range list {
		start := bytes.Index(text, []byte(i.anchor))
		if start < 0 {
			return fmt.Errorf("has no %q: add the platform by hand", i.anchor)
		}
		at := bytes.Index(text[start:], []byte(i.before))
		if at < 0 {
			return fmt.Errorf("has no %q after %q: add the platform by hand", i.before, i.anchor)
		}
		text = slices.Insert(text, start+at, []byte(i.text)...)
	}
	if text, err = format.Source(text); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644) //nolint:gosec // source code
}

// model is the adapter whose events the new one's golden files begin with.
const model = "microsoft_ads"

// caseFile is an event of the golden files, as far as it differs between platforms.
type caseFile struct {
	Why         string `json:"why"`
	Destination struct {
		Key      string            `json:"key"`
		Settings map[string]string `json:"settings"`
		Secrets  map[string]string `json:"secrets"`
		Options  json.RawMessage   `json:"options,omitempty"`
	} `json:"destination"`
	Event json.RawMessage `json:"event"`
}

// cases writes the events that every adapter has to render.
func (p platform) cases(root string) ([]string, error) {
	for _, name := range platformfiles.Cases {
		text, err := os.ReadFile(filepath.Join(root, platformfiles.Adapters, model, "testdata", name+".event.json"))
		if err != nil {
			return nil, err
		}
		var c caseFile
		if err := json.Unmarshal(text, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if strings.Contains(c.Why, "Microsoft") { // and what it has is not what another platform has
			c.Why, _, _ = strings.Cut(c.Why, ":")
		}
		d := &c.Destination
		d.Key, d.Settings, d.Secrets = p.Code, examples(p.Settings), examples(p.Secrets)
		if text, err = json.MarshalIndent(c, "", "  "); err != nil {
			return nil, err
		}
		file := filepath.Join(root, platformfiles.Adapters, p.Code, "testdata", name+".event.json")
		if err := create(file, append(text, '\n')); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func examples(fields []field) map[string]string {
	values := map[string]string{}
	for _, f := range fields {
		values[f.Field] = f.Example
	}
	return values
}
