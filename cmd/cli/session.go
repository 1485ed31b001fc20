package cli

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strings"

	"relay/internal/relay"
)

// defaultURL is where a relay listens on one's own machine.
const defaultURL = "http://localhost:8000"

// session is a relay's address and a login for it.
type session struct {
	profile  string // "" of the environment's
	source   string // what named the address, for errors
	url      string
	username string
	password relay.Secret
}

// session finds the relay that a command talks to: a profile that was named, what the environment has, the profile of the latest
// login, a relay on this machine. An address and a login never come from different places: a password would reach a relay that is
// not its own. ask asks for a password that is not stored.
func (s *surroundings) session(ctx context.Context, ask func(ctx context.Context, question string) (relay.Secret, error)) (session, error) {
	e, err := s.Environment()
	if err != nil {
		return session{}, usage(err)
	}
	name := cmp.Or(s.profile, e.Profile)
	if name == "" && (e.URL != "" || e.Username != "") {
		return environmentSession(e)
	}
	p, err := s.profiles()
	if err != nil {
		return session{}, err
	}
	if name == "" && p.Current == "" {
		return environmentSession(e)
	}
	name = cmp.Or(name, p.Current)
	one, ok := p.Profiles[name]
	if !ok {
		return session{}, usagef("there is no profile %s; relay profiles lists them, relay login makes one", name)
	}
	found := session{profile: name, source: "profile " + name, url: one.URL, username: one.Username}
	found.password, ok, err = s.storedPassword(name)
	if err == nil && !ok {
		found.password, err = ask(ctx, "Password of "+one.Username+" at "+one.URL+": ")
	}
	if err == nil {
		found.url, err = checkAddress(found.source, found.url)
	}
	return found, err
}

func environmentSession(e Environment) (session, error) {
	address, err := checkAddress("RELAY_URL", cmp.Or(e.URL, defaultURL))
	return session{source: "RELAY_URL", url: address, username: e.Username, password: e.Password}, err
}

// checkAddress refuses what is not a relay's address. A login does not belong into it: addresses are shown and kept by shells.
func checkAddress(source, address string) (string, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", usagef("%s: is not an http or https URL", source)
	case u.User != nil:
		return "", usagef("%s: has a login in it; use relay login, or ADMIN_AUTH_USERNAME and ADMIN_AUTH_PASSWORD", source)
	case u.RawQuery != "" || u.Fragment != "":
		return "", usagef("%s: has a query; it is the address alone, such as %s", source, defaultURL)
	}
	return strings.TrimRight(address, "/"), nil
}

// errNoPrompt is the error of a question that must not be asked.
var errNoPrompt = errors.New("there is no password")

// neverAsk is for what happens behind a user's back.
func neverAsk(context.Context, string) (relay.Secret, error) { return relay.Secret{}, errNoPrompt }
