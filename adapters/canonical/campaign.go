package canonical

// Campaign is the source of the visit, for platforms that accept keys of our own. Term and content may hold a patient's search:
// they leave only if the admin lists them.
type Campaign struct {
	UTMSource   string `json:"utm_source,omitempty"`
	UTMMedium   string `json:"utm_medium,omitempty"`
	UTMCampaign string `json:"utm_campaign,omitempty"`
	UTMTerm     string `json:"utm_term,omitempty"`
	UTMContent  string `json:"utm_content,omitempty"`
	AffiliateID string `json:"affiliate_id,omitempty"` // the t-value
}

// Campaign reads utm_* and the t-value.
func (f *Fields) Campaign() Campaign {
	return Campaign{
		UTMSource:   f.Text("utm_source"),
		UTMMedium:   f.Text("utm_medium"),
		UTMCampaign: f.Text("utm_campaign"),
		UTMTerm:     f.Listed("utm_term"),
		UTMContent:  f.Listed("utm_content"),
		AffiliateID: f.Text("t-value"),
	}
}
