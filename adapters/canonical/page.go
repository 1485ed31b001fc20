package canonical

import (
	"net/url"

	"relay/internal/relay"
)

// maxURL is longer than browsers and platforms take.
const maxURL = 2000

// SourceURL is the page on which the event happened, without query and fragment unless the admin keeps them, else the
// storefront's own address; "" where there is neither. Under the data policy health it is the page's origin, unless allow
// names the field that the page is in; page_location there also names the storefront's address.
func (f *Fields) SourceURL() string {
	page := f.read(query{names: Spellings("page_location"), clean: func(path, raw string) string { return f.page(path, raw) }})
	if page != "" {
		return page
	}
	return f.page("page_location", f.event.Storefront.BaseURL)
}

// Referrer is the page before, under the same rules, where the admin lists it: it may be a search, or a page on an ailment.
func (f *Fields) Referrer() string {
	return f.read(query{names: Spellings("page_referrer"), listed: f.why(), clean: f.page})
}

// page is an absolute URL as far as it may leave. Where its query holds an e-mail address, or the event's hidden name, it
// loses the query, and where the path does, it is not a page. An order that must not leave costs the query, or the path: the origin
// is left.
func (f *Fields) page(path, raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	if f.health && !f.names(path) {
		if u.RawQuery != "" || u.Path != "" && u.Path != "/" {
			f.withhold(path, whyPage)
		}
		u.Path, u.RawPath, u.RawQuery, u.ForceQuery = "", "", "", false
	}
	if f.destination.Options.KeepURLQuery && f.fits(u) && !f.hasOrder(u.RequestURI()) {
		return u.String()
	}
	u.RawQuery, u.ForceQuery = "", false
	if f.hasOrder(u.EscapedPath()) {
		f.withhold(path, whyOrderInText)
		u.Path, u.RawPath = "", ""
	}
	if !f.fits(u) {
		f.withhold(path, f.reveals(u.String()))
		return ""
	}
	return u.String()
}

func (f *Fields) fits(u *url.URL) bool {
	s := u.String()
	return len(s) <= maxURL && !relay.Reveals(s, f.hidden)
}
