package cmd

import (
	"os"

	"relay/cmd/cli"
	"relay/internal/relay"
)

// Client holds the settings of the commands that talk to a relay: its address, and a login for it. A profile of relay login stands
// in for them.
type Client struct {
	Profile       string       `env:"RELAY_PROFILE" desc:"the profile of relay login to use"`
	URL           string       `env:"RELAY_URL" desc:"address of the relay that the commands talk to"`
	AdminUsername string       `env:"ADMIN_AUTH_USERNAME" desc:"login of an admin; BASIC_AUTH_USERNAME where it is not set"`
	AdminPassword relay.Secret `env:"ADMIN_AUTH_PASSWORD" desc:"its password"`
	Username      string       `env:"BASIC_AUTH_USERNAME" desc:"login of OMS and, by default, of admins"`
	Password      relay.Secret `env:"BASIC_AUTH_PASSWORD" desc:"its password"`
}

// surroundings are those of the commands that talk to a relay.
func surroundings() cli.Options {
	return cli.Options{ConfigDir: os.UserConfigDir, Environment: func() (cli.Environment, error) {
		var c Client
		err := parse(&c)
		e := cli.Environment{Profile: c.Profile, URL: c.URL, Username: c.AdminUsername, Password: c.AdminPassword}
		if e.Username == "" {
			e.Username, e.Password = c.Username, c.Password
		}
		return e, err
	}}
}
