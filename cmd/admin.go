package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"relay/adapters/canonical"
	"relay/adapters/outbound"
	"relay/api"
	"relay/internal/relay"
)

// admins returns the logins of the admin API: that of ADMIN_AUTH_USERNAME and those of ADMIN_USERS_FILE. If there are
// none, OMS's login is an admin's.
func (c Config) admins() ([]api.AdminLogin, error) {
	var logins []api.AdminLogin
	if (c.AdminUsername == "") == c.AdminPassword.IsSet() {
		return nil, errors.New("ADMIN_AUTH_USERNAME, ADMIN_AUTH_PASSWORD: set both or none")
	}
	if c.AdminUsername != "" {
		logins = append(logins, api.AdminLogin{Name: c.AdminUsername, Password: c.AdminPassword})
	}
	if c.AdminUsersFile == "" {
		return logins, nil
	}
	file, err := readUsers(c.AdminUsersFile)
	if err != nil {
		return nil, fmt.Errorf("ADMIN_USERS_FILE: %w", err)
	}
	for _, l := range file {
		if l.Name == c.AdminUsername {
			return nil, fmt.Errorf("ADMIN_USERS_FILE: %s is ADMIN_AUTH_USERNAME, too", l.Name)
		}
	}
	return append(logins, file...), nil
}

// readUsers reads lines of the form name:hash:role, where hash is bcrypt's, as htpasswd -B writes it, and role is admin or
// read-only. Empty lines and those that begin with # are none. An error names the line, and holds nothing of a hash.
func readUsers(path string) ([]api.AdminLogin, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(err)
	}
	defer func() { _ = f.Close() }()
	var logins []api.AdminLogin
	seen := map[string]bool{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if n == 1 && strings.HasPrefix(line, byteOrderMark) {
			return nil, errors.New("line 1: begins with a byte order mark; save the file as UTF-8 without one")
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		l, err := parseUser(line)
		if err == nil && seen[l.Name] {
			err = errors.New("the name is used twice")
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		seen[l.Name] = true
		logins = append(logins, l)
	}
	switch {
	case lines.Err() != nil:
		return nil, unreadable(lines.Err())
	case len(logins) == 0:
		return nil, errors.New("has no user: the admin API could not be used")
	}
	return logins, nil
}

// unreadable keeps the cause without the path, which the variable already names.
func unreadable(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}

func parseUser(line string) (api.AdminLogin, error) {
	parts := strings.Split(line, ":")
	if len(parts) != 3 || parts[0] == "" {
		return api.AdminLogin{}, errors.New("is not name:bcrypt-hash:role")
	}
	if err := checkName(parts[0]); err != nil {
		return api.AdminLogin{}, err
	}
	if err := api.CheckHash(parts[1]); err != nil {
		return api.AdminLogin{}, err
	}
	if parts[2] != "admin" && parts[2] != "read-only" {
		return api.AdminLogin{}, errors.New("has a role that is neither admin nor read-only")
	}
	return api.AdminLogin{Name: parts[0], Hash: parts[1], ReadOnly: parts[2] == "read-only"}, nil
}

// maxName is the length of the column in which the audit keeps an admin's name.
const maxName = 255

// checkName refuses a name that no login can send, or that would look like another in the audit.
func checkName(name string) error {
	switch {
	case !utf8.ValidString(name):
		return errors.New("has a name that is not UTF-8")
	case len(name) > maxName:
		return errors.New("has a name of more than 255 bytes")
	case strings.TrimSpace(name) != name || strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("has a name with outer white space or a control character")
	}
	return nil
}

const byteOrderMark = "\ufeff"

// admin are the collaborators of the admin API.
func (s *service) admin() *api.Admin {
	if s.role == api.RoleWorker {
		return nil
	}
	return &api.Admin{
		Storefronts:  s.store.Storefronts(),
		SGTMConfigs:  s.store.SGTMConfigs(),
		Platforms:    s.store.Platforms(),
		Credentials:  s.store.Credentials(),
		Audit:        s.store,
		Destinations: s.store,
		Adapters:     s.adapters,
		HasAdapter:   func(platform string) bool { return platform != relay.SGTM && s.adapters[platform] != nil },
		EventNames: func(platform string) relay.EventNames {
			if n, ok := s.adapters[platform].(relay.Namer); ok {
				return n.EventNames()
			}
			return relay.EventNames{}
		},
		Check: func(d relay.Destination) error {
			if a := s.adapters[d.Key]; a != nil {
				return a.Check(d)
			}
			return nil
		},
		CheckURL: func(ctx context.Context, raw string) error {
			return outbound.CheckURL(ctx, raw, s.cfg.AllowedPrivateNets)
		},
		CheckHeader: canonical.CheckHeader,
	}
}
