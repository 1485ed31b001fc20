package cmd

import (
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"relay/api"
	"relay/internal/relay"
)

// system describes this process for the admin API.
func (s *service) system() *api.System {
	if s.role == api.RoleWorker {
		return nil
	}
	return &api.System{Version: version(), StartedAt: time.Now().UTC(), Namespace: s.cfg.options.Namespace, TaskQueue: s.cfg.TaskQueue,
		Settings: settings(s.cfg), Store: s.store, Temporal: s.starter().Inspect, TestNotice: s.testNotice()}
}

// settings lists the variables of a configuration with their values, without secrets.
func settings(c Config) []api.Setting {
	var list []api.Setting
	v := reflect.ValueOf(c)
	for _, f := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("env"), ",")
		if name == "" {
			continue
		}
		list = append(list, setting(name, v.FieldByIndex(f.Index).Interface()))
	}
	slices.SortFunc(list, func(a, b api.Setting) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func setting(name string, value any) api.Setting {
	s := api.Setting{Name: name}
	switch v := value.(type) {
	case relay.Secret:
		s.Secret, s.IsSet = true, v.IsSet()
		return s
	case *url.URL:
		if v != nil { // it may hold a login
			s.Value = (&url.URL{Scheme: v.Scheme, Host: v.Host, Path: v.Path}).String()
		}
	case []netip.Prefix:
		s.Value = strings.Join(texts(v), ",")
	default:
		s.Value = fmt.Sprint(v)
	}
	s.IsSet = s.Value != ""
	return s
}
