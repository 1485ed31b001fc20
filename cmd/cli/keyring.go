package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"relay/internal/relay"
)

// The files in a user's folder of settings: the profiles, and their passwords.
const (
	folder       = "relay"
	profilesFile = "profiles.json"
	keyringFile  = "keyring.json"
)

// profile is a relay and the name of a login there.
type profile struct {
	URL      string `json:"url"`
	Username string `json:"username"`
}

// profileList is what the file of profiles holds.
type profileList struct {
	Current  string             `json:"current"`
	Profiles map[string]profile `json:"profiles"`
}

func (s *surroundings) file(name string) (string, error) {
	dir, err := s.ConfigDir()
	if err != nil {
		return "", usagef("there is no folder for settings: %w", err)
	}
	return filepath.Join(dir, folder, name), nil
}

func (s *surroundings) profiles() (profileList, error) {
	p := profileList{Profiles: map[string]profile{}}
	return p, s.load(profilesFile, &p)
}

// storedPassword returns the password of a profile, if it is stored.
func (s *surroundings) storedPassword(profile string) (relay.Secret, bool, error) {
	keys := map[string]string{}
	err := s.load(keyringFile, &keys)
	password, ok := keys[profile]
	return relay.NewSecret(password), ok, err
}

// store keeps a profile and, unless it is nil, its password.
func (s *surroundings) store(name string, one profile, password *relay.Secret) error {
	keys, p, err := s.both()
	if err != nil {
		return err
	}
	delete(keys, name) // of a login before
	if password != nil {
		keys[name] = password.Reveal()
	}
	p.Current, p.Profiles[name] = name, one
	if err := s.save(keyringFile, keys); err != nil {
		return err
	}
	return s.save(profilesFile, p)
}

// forget removes a profile and its password.
func (s *surroundings) forget(name string) error {
	keys, p, err := s.both()
	if err != nil {
		return err
	}
	if _, ok := p.Profiles[name]; !ok {
		return withCode(ExitNotFound, fmt.Errorf("there is no profile %s", name))
	}
	delete(keys, name)
	delete(p.Profiles, name)
	if p.Current == name {
		p.Current = ""
	}
	if err := s.save(keyringFile, keys); err != nil {
		return err
	}
	return s.save(profilesFile, p)
}

func (s *surroundings) both() (map[string]string, profileList, error) {
	keys := map[string]string{}
	err := s.load(keyringFile, &keys)
	if err != nil {
		return nil, profileList{}, err
	}
	p, err := s.profiles()
	return keys, p, err
}

// load reads one of the files; one that is missing leaves the value as it is.
func (s *surroundings) load(name string, to any) error {
	path, err := s.file(name)
	if err != nil {
		return err
	}
	b, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if json.Unmarshal(b, to) != nil {
		return usagef("%s: is not what relay login writes; remove it and log in again", path)
	}
	return nil
}

// maxPrivate bounds a file with secrets.
const maxPrivate = 1 << 20

// readPrivate reads a file that only its owner may read and write: another user who could write the profiles would get the
// password sent. A pipe has no such mode, and is read.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, withCode(ExitUsage, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, withCode(ExitUsage, err)
	}
	if err := private(path, info); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxPrivate+1))
	if err == nil && len(b) > maxPrivate {
		err = fmt.Errorf("%s: is larger than 1 MiB", path)
	}
	return b, usage(err)
}

// private refuses a file that others can read or write.
func private(path string, info fs.FileInfo) error {
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 {
		return usagef("%s: others can read or write it (mode %04o); run chmod 600 on it, and consider its secrets known", path, mode.Perm())
	}
	return nil
}

// save replaces one of the files at once, readable by its owner alone.
func (s *surroundings) save(name string, v any) error {
	path, err := s.file(name)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), name+".*") // has mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
