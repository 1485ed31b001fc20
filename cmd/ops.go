package cmd

import (
	"net/url"
	"strings"

	"relay/api"
	"relay/workflows"
)

// ops are the collaborators of the operations on events.
func (s *service) ops() *api.Ops {
	return &api.Ops{
		Events:       s.store,
		Cancels:      s.store,
		Canceller:    workflows.Executions{Client: s.temporal, Namespace: s.cfg.options.Namespace},
		Configs:      s.store,
		Replays:      s.store,
		Runner:       s.starter(),
		Destinations: s.store,
		Erasures:     s.store,
		Eraser:       s.starter(),
		Adapters:     s.adapters,
		Policy:       s.cfg.Policy(),
		Send:         s.outbound.Send,
		EventURL:     func(id int64) string { return s.workflowURL(workflows.DeliverEventID(id)) },
		ReplayURL:    func(id int64) string { return s.workflowURL(workflows.ReplayEventsID(id)) },
		ErasureURL:   func(id int64) string { return s.workflowURL(workflows.EraseEventsID(id)) },
	}
}

// workflowURL is a workflow's page in the Web UI; "" where there is no TEMPORAL_UI_URL.
func (s *service) workflowURL(id string) string {
	if s.cfg.UIURL == "" {
		return ""
	}
	return strings.TrimRight(s.cfg.UIURL, "/") + "/namespaces/" + url.PathEscape(s.cfg.options.Namespace) + "/workflows/" + url.PathEscape(id)
}
