package api

// Options are an admin's settings for one storefront at one destination: relay.Options under the names of the document.
type Options struct {
	Events                map[string]EventRule `json:"events,omitempty" maxProperties:"500" doc:"The handling of each event type, over the destination's own defaults."`
	Identifiers           string               `json:"identifiers,omitempty" enum:"none,hashed" example:"hashed" doc:"Whether e-mail, phone and the like leave, hashed. By default none do."`
	PlainIdentifiers      string               `json:"plain_identifiers,omitempty" enum:"baa_signed" example:"baa_signed" doc:"Only where the vendor has signed a business associate agreement on health data: e-mail, phone and the shop's own id of a person leave as they are, to a platform that cannot match hashes. Other platforms refuse it."`
	SendIP                bool                 `json:"send_ip,omitempty" example:"false" doc:"Whether the person's IP address leaves."`
	SendUserAgent         bool                 `json:"send_user_agent,omitempty" example:"false" doc:"Whether the person's user agent leaves."`
	KeepURLQuery          bool                 `json:"keep_url_query,omitempty" example:"false" doc:"Whether page URLs leave with their query."`
	Allow                 []string             `json:"allow,omitempty" maxItems:"500" example:"[\"order_revenue\"]" doc:"Payload fields, or parts of items such as items.sku. If not empty, only these leave to a platform and to client type custom; a field that a policy withholds leaves only if it is named here. At client type ga4 they leave beside the parameters of GA4."`
	Deny                  []string             `json:"deny,omitempty" maxItems:"500" example:"[\"utm_term\"]" doc:"These payload fields, or parts of items such as items.sku, never leave. A name that can match nothing is refused."`
	LimitedDataUse        bool                 `json:"limited_data_use,omitempty" example:"false" doc:"The vendor's privacy flag of this name."`
	OptOut                bool                 `json:"opt_out,omitempty" example:"false" doc:"The vendor's privacy flag of this name."`
	LimitedCountry        int                  `json:"limited_country,omitempty" minimum:"0" maximum:"1000" example:"1" doc:"Goes with limited_data_use where the vendor wants a country (1 is the US)."`
	LimitedState          int                  `json:"limited_state,omitempty" minimum:"0" maximum:"10000" example:"1000" doc:"Goes with limited_data_use where the vendor wants a state (1000 is California)."`
	ExternalIDFromSession bool                 `json:"external_id_from_session,omitempty" example:"false" doc:"Whether the session's id replaces the person's if the payload has none."`
	APIVersion            string               `json:"api_version,omitempty" pattern:"^(v?[0-9]{1,6}([.][0-9]{1,3})?|[0-9]{4}-[0-9]{2}-[0-9]{2})$" maxLength:"10" example:"v24.0" doc:"The version of the vendor's API, over the relay's own choice."`
	Test                  bool                 `json:"test,omitempty" example:"false" doc:"Sends to the vendor's validating endpoint, where nothing is recorded (GA4, Snapchat, Pinterest, Google Ads)."`
	EU                    bool                 `json:"eu,omitempty" example:"false" doc:"Sends to the vendor's address in the European Union, where it has one (GA4)."`
	MaxAgeHours           int                  `json:"max_age_hours,omitempty" minimum:"0" maximum:"8784" example:"168" doc:"How old an event may be; 0 is the destination's own limit."`
	Limits                *Limits              `json:"limits,omitempty" doc:"Upper limits for all workers together: each takes an equal part, of in_flight at least one."`
	CustomAliases         bool                 `json:"custom_aliases,omitempty" example:"false" doc:"Of sGTM's custom client: adds the GA4-style names that its tags read."`
	Consent               string               `json:"consent,omitempty" enum:"enforce,forward" example:"enforce" doc:"Of a container: the handling of a shopper's refusal. enforce does as direct GA4 does: a refusal of analytics or of everything, or a consent that cannot be read, ends skipped, consent_denied; a refusal of ads sends ad_user_data and ad_personalization DENIED, without the ad platforms' identifiers. forward sends the event with the decision in it, for tags to obey. Without it, client type ga4 enforces and client type custom forwards. Direct platforms always enforce."`
}

// EventRule is the handling of one event type.
type EventRule struct {
	Name string `json:"name,omitempty" maxLength:"100" example:"Purchase" doc:"The destination's name for it."`
	Skip bool   `json:"skip,omitempty" example:"false" doc:"It is not sent."`
}

// Limits bound what all workers together send to a storefront's destination.
type Limits struct {
	InFlight  int     `json:"in_flight,omitempty" minimum:"0" maximum:"100000" example:"20" doc:"Requests at a time; 0 is no limit."`
	PerSecond float64 `json:"per_second,omitempty" minimum:"0" maximum:"1000000" example:"50" doc:"Requests a second; 0 is no limit."`
}
