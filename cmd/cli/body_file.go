package cli

import (
	"encoding/json"
	"errors"
	"io"
	"os"
)

// readFile reads the body of --file. A file with a secret is refused where others can read it; one without may be anybody's.
func (b *bodyFlags) readFile(t terminal) (map[string]any, error) {
	raw, err := readInput(t.in, b.file)
	if err != nil {
		return nil, err
	}
	body := map[string]any{}
	if json.Unmarshal(raw, &body) != nil || body == nil {
		return nil, errors.New("is not a JSON object")
	}
	for _, f := range b.fields {
		if !f.secret || body[f.name] == nil || b.file == "-" {
			continue
		}
		info, err := os.Stat(b.file)
		if err == nil {
			err = private(b.file, info)
		}
		if err != nil {
			return nil, err
		}
	}
	return exact(raw), nil
}

// exact decodes an object with its values as they are written.
func exact(raw []byte) map[string]any {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(raw, &members) // was decoded before
	body := map[string]any{}
	for name, v := range members {
		body[name] = v
	}
	return body
}

// readInput reads a file, or standard input.
func readInput(in io.Reader, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(file)
}
