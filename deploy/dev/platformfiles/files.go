// Package platformfiles knows the places of a platform's parts in the repository: newplatform writes them, and a test names those that
// a platform lacks.
package platformfiles

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// The files that hold a line for each platform, relative to the repository.
const (
	Registry  = "adapters/adapters.go"
	Catalogue = "db/migrations/platform-catalogue.json"
	Players   = "deploy/sandbox/vendors/vendors.go"
	Accounts  = "deploy/dev/demo/accounts.go"
	Page      = "deploy/dev/catalogue/adapters.go"
)

// The folders that hold a file or a folder for each platform.
const (
	Adapters    = "adapters"
	PlayerFiles = "deploy/sandbox/vendors"
	Texts       = "deploy/dev/catalogue/text"
)

// FillIn marks what newplatform cannot know: the vendor's own facts.
const FillIn = "FILL IN"

// Cases are the events that every adapter renders into golden files: testdata/<case>.event.json.
var Cases = []string{
	"consent_denied", "consent_measure_only", "consent_required", "health", "health_allowed", "marketing_refused", "no_payload", "placeholders",
	"purchase_direct_row", "purchase_fresh", "purchase_from_the_future", "purchase_full", "purchase_hashed_already", "purchase_negative",
	"purchase_older_allowed", "purchase_payload_event_id", "purchase_too_old", "purchase_value_zero", "purchase_without_currency",
	"purchase_without_revenue", "restricted_by_shopper", "rx_neutral", "rx_not_mapped", "shop_spellings", "skipped", "unknown_event",
}

// platform is a platform of the registry.
type platform struct {
	root, code, folder string
	rival              bool // another platform has the same folder
}

var (
	registered = regexp.MustCompile(`(?m)^\t+"([a-z0-9_]+)":\s+(\w+)\.`)
	imported   = regexp.MustCompile(`(?m)^\t(?:(\w+) )?"relay/adapters/(\w+)"`)
)

// Folders returns the folders of the registered platforms below adapters, by code.
func Folders(root string) (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(root, Registry))
	if err != nil {
		return nil, err
	}
	byPackage := map[string]string{}
	for _, m := range imported.FindAllStringSubmatch(string(text), -1) {
		if m[1] == "" {
			m[1] = m[2]
		}
		byPackage[m[1]] = m[2]
	}
	folders := map[string]string{}
	for _, m := range registered.FindAllStringSubmatch(string(text), -1) {
		folder, ok := byPackage[m[2]]
		if !ok {
			return nil, fmt.Errorf("%s: %s has no import", Registry, m[2])
		}
		folders[m[1]] = folder
	}
	return folders, nil
}

// Entry returns the entry of a platform in the catalogue; nil if there is none.
func Entry(root, code string) (json.RawMessage, error) {
	text, err := os.ReadFile(filepath.Join(root, Catalogue))
	if err != nil {
		return nil, err
	}
	var all []json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", Catalogue, err)
	}
	for _, e := range all {
		var head struct{ Code string }
		if json.Unmarshal(e, &head) == nil && head.Code == code {
			return e, nil
		}
	}
	return nil, nil
}
