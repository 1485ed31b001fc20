package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"relay/db"
)

// settings holds the values that make dev reads from the environment.
type settings struct {
	stateDir    string
	databaseURL string // "" for a private server
	relay       port
	temporal    port
	ui          port
	sandbox     port
	mysql       port
}

// port is a port with the variable that changes it.
type port struct {
	variable, use string
	number        int
}

func readSettings() (settings, error) {
	s := settings{
		stateDir:    cmp.Or(os.Getenv("DEV_STATE_DIR"), ".dev"),
		databaseURL: os.Getenv("DATABASE_URL"),
		relay:       port{"RELAY_PORT", "the relay", 8000},
		temporal:    port{"TEMPORAL_PORT", "Temporal", 7233},
		ui:          port{"TEMPORAL_UI_PORT", "Temporal's Web UI", 8233},
		sandbox:     port{"SANDBOX_PORT", "the sandbox", 8900},
		mysql:       port{"MYSQL_PORT", "the database", 3307},
	}
	for _, p := range s.ports() {
		text := os.Getenv(p.variable)
		if text == "" {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return s, fmt.Errorf("%s: %q is not a port", p.variable, text)
		}
		p.number = int(n)
	}
	var err error
	s.stateDir, err = filepath.Abs(s.stateDir)
	return s, err
}

// ports returns the ports to listen on.
func (s *settings) ports() []*port {
	ports := []*port{&s.relay, &s.temporal, &s.ui, &s.sandbox}
	if s.databaseURL == "" {
		ports = append(ports, &s.mysql)
	}
	return ports
}

// checkPorts returns an error that names the first port in use. It checks for two seconds, because the ports of a run that was just
// killed are released a moment later.
func (s *settings) checkPorts(ctx context.Context) error {
	seen := map[int]string{}
	for _, p := range s.ports() {
		if other, ok := seen[p.number]; ok {
			return fmt.Errorf("port %d is configured twice: change %s or %s", p.number, other, p.variable)
		}
		seen[p.number] = p.variable
	}
	const patience = 2 * time.Second
	deadline := time.Now().Add(patience)
	for _, p := range s.ports() {
		for !free(ctx, p.number) {
			if time.Now().After(deadline) || ctx.Err() != nil {
				return fmt.Errorf("port %d is in use, and %s needs it: stop the program that uses it, or choose another port with %s", p.number, p.use, p.variable)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}

func free(ctx context.Context, number int) bool {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(number)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// secrets are generated at the first start and kept, because encrypted values are lost without their key.
type secrets struct{ username, password, encryptionKey, mysqlPassword string }

// readSecrets reads them from a file of NAME=value lines, created if missing. The environment takes precedence, for a developer with a
// database of their own.
func readSecrets(file string) (secrets, error) {
	values, err := readEnvFile(file)
	if errors.Is(err, os.ErrNotExist) {
		values, err = makeSecrets(file)
	}
	if err != nil {
		return secrets{}, err
	}
	get := func(name string) string { return cmp.Or(os.Getenv(name), values[name]) }
	return secrets{
		username:      get("BASIC_AUTH_USERNAME"),
		password:      get("BASIC_AUTH_PASSWORD"),
		encryptionKey: get("ENCRYPTION_KEY"),
		mysqlPassword: values["MYSQL_PASSWORD"],
	}, nil
}

func makeSecrets(file string) (map[string]string, error) {
	key, err := db.GenerateKey()
	if err != nil {
		return nil, err
	}
	values := map[string]string{
		"BASIC_AUTH_USERNAME": "oms", "BASIC_AUTH_PASSWORD": randomText(), "ENCRYPTION_KEY": key, "MYSQL_PASSWORD": randomText(),
	}
	var text strings.Builder
	for name, value := range values {
		fmt.Fprintf(&text, "%s=%s\n", name, value)
	}
	half := file + ".new"
	if err := os.WriteFile(half, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	return values, os.Rename(half, file)
}

func readEnvFile(file string) (map[string]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	values := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			values[name] = value
		}
	}
	return values, lines.Err()
}

func randomText() string {
	var b [9]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
