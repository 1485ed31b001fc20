package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"relay/api"
	"relay/internal/relay"
)

const mePath = "/admin/v1/me"

// loginFlags are the flags of relay login.
type loginFlags struct {
	username, passwordFile, refused string
	noStore                         bool
}

func (s *surroundings) loginCommand() *cobra.Command {
	var f loginFlags
	c := uses(&cobra.Command{
		Use:   "login [URL]",
		Short: "Log in to a relay, and keep the login as a profile",
		Long: "Asks for the password without showing it, logs in, and keeps address, name and password in the user's folder of settings, in files that " +
			"only their owner can read. The profile is used from then on wherever neither --profile nor the environment (RELAY_URL, ADMIN_AUTH_USERNAME, " +
			"BASIC_AUTH_USERNAME) names another relay. The profile is that of --profile, of RELAY_PROFILE, the current one, or default; one of another relay is " +
			"replaced only if --profile names it. With --no-store the password is not kept, and each command asks for it.",
		Example: "  relay login https://relay.example.com --username anna --profile production\n" +
			"  relay login https://relay.example.com --username ci --password-file - < secret",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return s.login(c, args, f) },
	}, "get-me")
	c.Flags().StringVar(&f.username, "username", "", "name of the login; asked for if missing")
	c.Flags().StringVar(&f.passwordFile, "password-file", "", "file with the password; - is standard input")
	c.Flags().BoolVar(&f.noStore, "no-store", false, "do not keep the password")
	refuse(c, &f.refused, "password", "relay login asks for it, or reads it with --password-file")
	return c
}

// login checks a login at the relay, and keeps it.
func (s *surroundings) login(c *cobra.Command, args []string, f loginFlags) error {
	if err := refused(c, "password"); err != nil {
		return err
	}
	name, one, err := s.loginProfile(args)
	if err != nil {
		return err
	}
	one.Username = cmp.Or(f.username, one.Username)
	if one.Username == "" {
		_, _ = fmt.Fprint(c.ErrOrStderr(), "Name of the login: ")
		line, err := readLine(c.Context(), c.InOrStdin())
		if err != nil {
			return err
		}
		if one.Username = strings.TrimSpace(line); one.Username == "" {
			return usagef("--username: is required where it cannot be asked for")
		}
	}
	warnPlain(c.ErrOrStderr(), one.URL)
	password, err := loginPassword(c, f.passwordFile, one)
	if err != nil {
		return err
	}
	r := newRemote(c, session{source: "URL", url: one.URL, username: one.Username, password: password})
	var me api.Me
	if err := r.call(c.Context(), http.MethodGet, mePath, nil, nil, &me); err != nil {
		return err
	}
	kept := &password
	if f.noStore {
		kept = nil
	}
	if err := s.store(name, one, kept); err != nil {
		return err
	}
	return r.printf("logged in to %s as %s%s; profile %s\n", one.URL, me.Name, map[bool]string{true: ", which may only read"}[me.ReadOnly], name)
}

// loginProfile finds the profile that a login is for. The login of another relay is replaced only where the command line names its
// profile: the name of the current profile, and RELAY_PROFILE of a shell, are easily forgotten.
func (s *surroundings) loginProfile(args []string) (string, profile, error) {
	p, name, err := s.profileName()
	if err != nil {
		return "", profile{}, err
	}
	name = cmp.Or(name, "default")
	one, known := p.Profiles[name]
	address := cmp.Or(one.URL, defaultURL)
	if len(args) == 1 {
		address = args[0]
	}
	if address, err = checkAddress("URL", address); err != nil {
		return "", profile{}, err
	}
	switch {
	case address == strings.TrimRight(one.URL, "/"):
		return name, profile{URL: address, Username: one.Username}, nil
	case known && s.profile == "":
		return "", profile{}, usagef("profile %s is of %s: name another profile with --profile, or this one to replace it", name, one.URL)
	}
	return name, profile{URL: address}, nil // another relay has other logins
}

// profileName is the profile that the command line, the environment or the latest login names, in this order; "" if none does.
func (s *surroundings) profileName() (profileList, string, error) {
	e, err := s.Environment()
	if err != nil {
		return profileList{}, "", usage(err)
	}
	p, err := s.profiles()
	return p, cmp.Or(s.profile, e.Profile, p.Current), err
}

func loginPassword(c *cobra.Command, file string, one profile) (relay.Secret, error) {
	t := terminal{in: c.InOrStdin(), notices: c.ErrOrStderr()}
	if file == "" {
		return t.password(c.Context(), "Password of "+one.Username+" at "+one.URL+": ")
	}
	return readSecret("--password-file", file, c.InOrStdin())
}

// readSecret reads a secret from a file, or from standard input. A line end at its end is the editor's.
func readSecret(what, file string, in io.Reader) (relay.Secret, error) {
	var b []byte
	var err error
	if file == "-" {
		b, err = io.ReadAll(io.LimitReader(in, maxPrivate))
	} else {
		b, err = readPrivate(file)
	}
	if err != nil {
		return relay.Secret{}, usagef("%s: %w", what, err)
	}
	text := strings.TrimRight(string(b), "\r\n")
	if text == "" {
		return relay.Secret{}, usagef("%s: is empty", what)
	}
	return relay.NewSecret(text), nil
}

// warnPlain warns of a password that others on the way can read.
func warnPlain(notices io.Writer, address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "localhost" {
		return
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsLoopback() {
		return
	}
	_, _ = fmt.Fprintln(notices, "warning: over http others on the way can read the password; use https")
}

// refuse adds a hidden flag for a secret, which is never taken: other programs see arguments, and shells keep them.
func refuse(c *cobra.Command, to *string, name, instead string) {
	c.Flags().StringVar(to, name, "", "is refused")
	f := c.Flags().Lookup(name)
	f.Hidden = true
	f.Annotations = map[string][]string{insteadKey: {instead}}
}

const insteadKey = "instead"

// refused returns the error of a flag for a secret that was set.
func refused(c *cobra.Command, name string) error {
	f := c.Flags().Lookup(name)
	if f == nil || !f.Changed {
		return nil
	}
	return usagef("--%s: a secret is not read from arguments, which other programs see and shells keep; %s", name, f.Annotations[insteadKey][0])
}

func (s *surroundings) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Forget a profile and its password", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, name, err := s.profileName()
			if err != nil {
				return err
			}
			if name == "" {
				return problem("nothing was forgotten: there is no current profile; --profile names one")
			}
			if err := s.forget(name); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "profile %s is forgotten\n", name)
			return err
		},
	}
}

func (s *surroundings) profilesCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "profiles", Short: "List the stored logins, or choose one", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			keys, p, err := s.both()
			if err != nil {
				return err
			}
			var rows [][]string
			for _, name := range slices.Sorted(maps.Keys(p.Profiles)) {
				_, stored := keys[name]
				rows = append(rows, []string{name, p.Profiles[name].URL, p.Profiles[name].Username, yesNo(stored), yesNo(name == p.Current)})
			}
			return (&remote{out: c.OutOrStdout()}).table([]string{"PROFILE", "URL", "LOGIN", "PASSWORD STORED", "CURRENT"}, rows)
		},
	}
	c.AddCommand(&cobra.Command{
		Use: "use PROFILE", Short: "Use this profile from now on", Args: cobra.ExactArgs(1), ValidArgsFunction: s.profileNames,
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := s.profiles()
			if err != nil {
				return err
			}
			if _, ok := p.Profiles[args[0]]; !ok {
				return withCode(ExitNotFound, fmt.Errorf("there is no profile %s", args[0]))
			}
			p.Current = args[0]
			return s.save(profilesFile, p)
		},
	})
	return c
}

func (s *surroundings) profileNames(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	p, _ := s.profiles()
	return slices.Sorted(maps.Keys(p.Profiles)), cobra.ShellCompDirectiveNoFileComp
}

func yesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}
