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
	tagLogin       = "Login"
)

// tags are in the order of the document.
func (s *server) tags() []*huma.Tag {
	tags := []*huma.Tag{
		{Name: tagIngestion, Description: "Accepts events from OMS."},
		{Name: tagHealth, Description: "For probes; no login."},
		{Name: tagStorefronts, Description: "The tenants: the first kill switch."},
		{Name: tagSGTM, Description: "The server-side GTM container of a storefront: the second kill switch."},
		{Name: tagPlatforms, Description: "The catalogue of ad and analytics platforms: the third kill switch, for all storefronts."},
		{Name: tagCredentials, Description: "A storefront's login at a platform: the fourth kill switch."},
		{Name: tagAudit, Description: "Who changed what, and when."},
		{Name: tagLive, Description: "What happens, as it happens."},
		{Name: tagSystem, Description: "The processes of the relay and their settings."},
		{Name: tagLogin, Description: "The admin behind a request."},
	}
	if s.deps.Ops == nil {
		return tags
	}
	return append(tags,
		&huma.Tag{Name: tagEvents, Description: "The history of an event, and delivering it again."},
		&huma.Tag{Name: tagReplays, Description: "Delivering many events again, at a rate that leaves room for live traffic."},
		&huma.Tag{Name: tagDestinations, Description: "The health of the destinations of storefronts, and probing them."},
		&huma.Tag{Name: tagErasures, Description: "For data-subject requests: erasing the data of an order or a person."},
		&huma.Tag{Name: tagPreview, Description: "Show the requests of an event, without sending or storing anything."},
		&huma.Tag{Name: tagStats, Description: "Counts by storefront and destination."},
		&huma.Tag{Name: tagOMS, Description: "For OMS, with its own login: the delivery status of its events."})
}

func info() *huma.Info {
	return &huma.Info{
		Title:   "Marketing Events Relay",
		Version: "1.0.0",
		License: &huma.License{Name: "MIT", URL: "https://spdx.org/licenses/MIT.html"},
		Description: `Takes marketing events in and delivers each one to its storefront's server-side GTM container or, failing that,
directly to its platforms. Every response but a 2xx is a problem document (RFC 9457) with a stable ` + "`code`" + `:

| status | codes |
|---|---|
` + codeTable() + `
Errors never repeat values of the request. Secrets are write-only: a read shows which are set and their last four characters.`,
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
