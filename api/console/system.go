package console

import "time"

// systemPages are the state of the relay itself.
func systemPages() []page {
	return []page{{path: "system", place: "System", title: "System", template: "system", show: showSystem}}
}

// system is what REST says of the relay.
type system struct {
	Version   string            `json:"version"`
	Role      string            `json:"role"`
	StartedAt time.Time         `json:"started_at"`
	Checks    map[string]string `json:"checks"`
	Workers   []struct {
		ID     string    `json:"id"`
		SeenAt time.Time `json:"seen_at"`
	} `json:"workers"`
	Temporal struct {
		Namespace string `json:"namespace"`
		TaskQueue string `json:"task_queue"`
		Reached   bool   `json:"reached"`
		Pollers   []struct {
			TaskQueue string    `json:"task_queue"`
			Kind      string    `json:"kind"`
			Identity  string    `json:"identity"`
			SeenAt    time.Time `json:"last_access_at"`
		} `json:"pollers"`
	} `json:"temporal"`
	Schedules []struct {
		ID        string     `json:"id"`
		Paused    bool       `json:"paused"`
		LastRunAt *time.Time `json:"last_run_at"`
		NextRunAt *time.Time `json:"next_run_at"`
	} `json:"schedules"`
	Reconciliation *struct {
		Invariant string    `json:"invariant"`
		At        time.Time `json:"at"`
		Checked   int       `json:"checked"`
		Reopened  int       `json:"reopened"`
		Cancelled int       `json:"cancelled"`
		InAll     int64     `json:"repaired_in_all"`
	} `json:"reconciliation"`
	CountedAt *time.Time `json:"counted_at"`
	Notices   struct {
		Configured bool       `json:"configured"`
		LastSentAt *time.Time `json:"last_sent_at"`
		LastKind   string     `json:"last_kind"`
		Unsent     int        `json:"unsent"`
		Reason     string     `json:"reason"`
	} `json:"notices"`
	Settings []struct {
		Name   string `json:"name"`
		Value  string `json:"value"`
		Secret bool   `json:"secret"`
		IsSet  bool   `json:"is_set"`
	} `json:"settings"`
}

// late is how old a count may be before it is worth a look: events are counted each minute.
const late = 5 * time.Minute

// systemView is the system at the time of the visit.
type systemView struct {
	system
	now time.Time
}

// Late reports whether events have not been counted for a while.
func (s systemView) Late() bool { return s.CountedAt == nil || s.now.Sub(*s.CountedAt) > late }

// WebUI is the address of Temporal's Web UI, where it is set.
func (s systemView) WebUI() string {
	for _, one := range s.Settings {
		if one.Name == "TEMPORAL_UI_URL" {
			return one.Value
		}
	}
	return ""
}

func showSystem(v *visit) (any, error) {
	s := systemView{now: v.now}
	return s, v.get("/admin/v1/system", nil, &s.system)
}
