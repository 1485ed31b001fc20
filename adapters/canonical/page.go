package canonical

import (
	"net/url"

	"relay"
)

// maxURL is longer than browsers and platforms take.
const maxURL = 2000

// SourceURL is the page on which the event happened, without query and fragment unless the admin keeps them, else the
// storefront's own address; "" where there is neither.
func (f *Fields) SourceURL() string {
	if page := f.first(f.page, []string{"page_location", "page_url", "event_source_url", "url"}); page != "" {
		return page
	}
	return f.page(f.event.Storefront.BaseURL)
}

// Referrer is the page before, under the same rules, where the admin lists it: it may be a search, or a page on an ailment.
func (f *Fields) Referrer() string {
	var listed []string
	for _, name := range []string{"page_referrer", "referrer_url", "referrer"} {
		if f.lists(name) {
			listed = append(listed, name)
		}
	}
	return f.first(f.page, listed)
}

// page is an absolute URL as far as it may leave. Where its query holds an e-mail address, or the event's hidden name, it
// loses the query, and where the path does, it is no page.
func (f *Fields) page(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	if f.destination.Options.KeepURLQuery && f.fitsURL(u) {
		return u.String()
	}
	u.RawQuery, u.ForceQuery = "", false
	if !f.fitsURL(u) {
		return ""
	}
	return u.String()
}

func (f *Fields) fitsURL(u *url.URL) bool {
	s := u.String()
	plain, err := url.QueryUnescape(s)
	return err == nil && len(s) <= maxURL && !relay.HoldsMailAddress(plain) && f.fit(s) != "" && f.fit(plain) != ""
}
