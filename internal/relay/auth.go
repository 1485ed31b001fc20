package relay

import (
	"maps"
	"slices"
)

// AuthKind is a way to authenticate a request that is computed when the request is sent.
type AuthKind string

// The kinds. AuthNone leaves the request as its adapter built it.
const (
	AuthNone AuthKind = ""
	// AuthStandardWebhooks adds the time of the attempt and a signature, by Standard Webhooks 1.0.0. Its secrets are the signing
	// secrets, the newest first; without any, only the time is added.
	AuthStandardWebhooks AuthKind = "standard_webhooks"
	// AuthServiceAccount adds an OAuth2 token for a service account (RFC 7523, RS256). Its secret is the account's key in Google's JSON.
	AuthServiceAccount AuthKind = "oauth2_service_account"
	// AuthRefreshToken adds an OAuth2 token for a refresh token. Its secrets are the refresh token and the client's secret.
	AuthRefreshToken AuthKind = "oauth2_refresh_token"
)

// Headers of Standard Webhooks. The adapter sets the id, which is the same on every attempt.
const (
	HeaderWebhookID        = "Webhook-Id"
	HeaderWebhookTimestamp = "Webhook-Timestamp"
	HeaderWebhookSignature = "Webhook-Signature"
)

// AddedWhenSent is the value that a preview shows for a header which is added when the request is sent.
const AddedWhenSent = "added when sent"

// Auth describes the part of a request that is added when the request is sent: a signature or a token needs a clock or a network,
// and an adapter has neither. It names secrets of the destination and holds none.
type Auth struct {
	Kind     AuthKind
	Secrets  []string // names, in the order of the kind
	TokenURL string   // of a token: the address that issues it
	Scope    string   // of a token; may be empty
	ClientID string   // of a refresh token
}

// Headers returns the names of the headers that are added when the request is sent, sorted.
func (a Auth) Headers() []string {
	switch {
	case a.Kind == AuthNone:
		return nil
	case a.Kind != AuthStandardWebhooks:
		return []string{"Authorization"}
	case len(a.Secrets) == 0:
		return []string{HeaderWebhookTimestamp}
	}
	return []string{HeaderWebhookSignature, HeaderWebhookTimestamp}
}

// For returns the request with the secrets that its Auth names, for the sender.
func (r Request) For(d Destination) Request {
	if r.Auth.Kind == AuthNone {
		return r
	}
	r.secrets = map[string]Secret{}
	for _, name := range r.Auth.Secrets {
		r.secrets[name] = d.Secrets[name]
	}
	return r
}

// AuthSecrets returns the secrets that Auth names, in its order. A secret that For has not added is not set.
func (r Request) AuthSecrets() []Secret {
	list := make([]Secret, len(r.Auth.Secrets))
	for i, name := range r.Auth.Secrets {
		list[i] = r.secrets[name]
	}
	return list
}

// HeaderNames returns the names of all headers that are sent, sorted.
func (r Request) HeaderNames() []string {
	names := slices.AppendSeq(r.Auth.Headers(), maps.Keys(r.Header))
	slices.Sort(names)
	return slices.Compact(names)
}
