package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Tags of operations.
const (
	tagIngestion   = "Ingestion"
	tagHealth      = "Health"
	tagStorefronts = "Storefronts"
	tagSGTM        = "sGTM configs"
	tagPlatforms   = "Platforms"
	tagCredentials = "Credentials"
	tagAudit       = "Audit"
)

func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: tagIngestion, Description: "Events in, from OMS."},
		{Name: tagHealth, Description: "For probes; no login."},
		{Name: tagStorefronts, Description: "The tenants: the first kill switch."},
		{Name: tagSGTM, Description: "The server-side GTM container of a storefront: the second kill switch."},
		{Name: tagPlatforms, Description: "The catalogue of ad and analytics platforms: the third kill switch, for all storefronts."},
		{Name: tagCredentials, Description: "What a storefront has to be let in at a platform: the fourth kill switch."},
		{Name: tagAudit, Description: "Who changed what, and when."},
	}
}

func info() *huma.Info {
	return &huma.Info{
		Title:   "Marketing Events Relay",
		Version: "1.0.0",
		License: &huma.License{Name: "MIT", URL: "https://spdx.org/licenses/MIT.html"},
		Description: `Takes marketing events in and delivers each one to its storefront's server-side GTM container or, failing that,
directly to its platforms. Every answer but a 2xx is a problem document (RFC 9457) with a stable ` + "`code`" + `:

| status | codes |
|---|---|
` + codeTable() + `
Errors never repeat what was sent. Secrets are write-only: a read shows which are set and their last four characters.`,
	}
}

// codeTable lists the codes of problem documents by status.
func codeTable() string {
	byStatus := map[int][]string{}
	for c, row := range codes {
		byStatus[row.status] = append(byStatus[row.status], "`"+string(c)+"`")
	}
	delete(byStatus, ofItems)
	delete(byStatus, statusClientGone) // such a client reads no document
	var b strings.Builder
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		slices.Sort(byStatus[status])
		fmt.Fprintf(&b, "| %d %s | %s |\n", status, http.StatusText(status), strings.Join(byStatus[status], ", "))
	}
	return b.String()
}
