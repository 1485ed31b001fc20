// Package linkedin sends events to LinkedIn's Conversions API.
//
// Sources: https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversions-api;
// github.com/segmentio/action-destinations @970a17ee, linkedin-conversions; github.com/stape-io/linkedin-tag, of 2026-05-18;
// github.com/rudderlabs/rudder-transformer @c98d160c, linkedin_ads.
package linkedin

import (
	"cmp"
	"errors"
	"regexp"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

const (
	apiURL    = "https://api.linkedin.com/rest"
	tokenURL  = "https://www.linkedin.com/oauth/v2/accessToken"
	tokenPath = "/oauth/v2/accessToken"
	version   = "linkedin/1"

	// apiVersion is the newest known month. LinkedIn serves a version for about a year and responds 426 from then on.
	apiVersion = "202604"

	// maxAge is an hour below LinkedIn's 90 days, which count on arrival.
	maxAge = 90*24*time.Hour - time.Hour
)

// Settings and secrets, by the catalogue's names. A credential has an access token of about 60 days, or what renews one: a refresh
// token, which LinkedIn issues to approved apps alone, and the app's id and secret.
const (
	SecretAccessToken  = "access_token"
	SecretRefreshToken = "refresh_token"
	SettingClientID    = "client_id"
	SecretClient       = "client_secret"
)

// Events have ids in place of names: conversion rules of the advertiser's own, with the method CONVERSIONS_API.
var Events = canonical.EventNames{NeedID: []string{"purchase_completed"}}

// traits are the forms of LinkedIn's versions and of the ids of its rules.
var traits = canonical.Traits{
	Version: canonical.Form{Pattern: regexp.MustCompile(`^20[0-9]{2}(0[1-9]|1[0-2])$`), Like: apiVersion},
	EventID: canonical.Form{Pattern: regexp.MustCompile(`^[1-9][0-9]{0,18}$`), Like: "1234567"},
}

// Adapter renders events for LinkedIn and reads its responses.
type Adapter struct{}

// EventNames returns the types of events that need an id.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	if err := canonical.CheckAs(d, traits); err != nil {
		return err
	}
	if d.Secrets[SecretRefreshToken].IsSet() {
		return checkRefresh(d)
	}
	return canonical.CheckToken(d, SecretAccessToken)
}

func checkRefresh(d relay.Destination) error {
	var id error
	if d.Settings[SettingClientID] == "" {
		id = errors.New(SettingClientID + ": is missing; a refresh token works only with the app's id and secret")
	}
	return cmp.Or(canonical.CheckToken(d, SecretRefreshToken), id, canonical.CheckToken(d, SecretClient))
}

// Request returns the request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{MaxAge: maxAge, Consent: canonical.Consent.AdsPersonalized})
	if err != nil {
		return relay.Request{}, err
	}
	body, err := newEvent(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	base, month := canonical.Base(d, apiURL, ""), canonical.APIVersion(d, apiVersion)
	header := map[string]string{"Linkedin-Version": month, "X-Restli-Protocol-Version": "2.0.0"}
	auth := refreshed(d, base)
	if auth.Kind == relay.AuthNone {
		header["Authorization"] = "Bearer " + d.Secrets[SecretAccessToken].Reveal()
	}
	// LinkedIn documents eventId against the Insight Tag's copy; whether it also drops a second copy of the relay's own is UNCONFIRMED.
	r, err := f.Post(version+" "+month, base+"/conversionEvents", header, body)
	r.Auth = auth
	return r, err
}

// refreshed is the access token that is made of the refresh token; none where the credential has the access token itself.
func refreshed(d relay.Destination, base string) relay.Auth {
	if !d.Secrets[SecretRefreshToken].IsSet() {
		return relay.Auth{}
	}
	issuer := tokenURL
	if base != apiURL { // the sandbox and tests issue their own
		issuer = base + tokenPath
	}
	return relay.Auth{Kind: relay.AuthRefreshToken, Secrets: []string{SecretRefreshToken, SecretClient}, TokenURL: issuer,
		ClientID: d.Settings[SettingClientID]}
}
