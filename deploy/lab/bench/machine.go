package bench

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// Machine describes the measured machine and versions in neutral terms.
type Machine struct {
	Cores     int     `json:"cores"`
	Processor string  `json:"processor,omitempty"`
	MemoryGiB float64 `json:"memory_gib"`
	System    string  `json:"system"`
	Go        string  `json:"go"`
	Database  string  `json:"database,omitempty"`
	Temporal  string  `json:"temporal_server"`
	SDK       string  `json:"temporal_sdk"`
	Revision  string  `json:"revision,omitempty"`
}

func describeMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	if name := fileValue("/etc/os-release", "PRETTY_NAME", "="); name != "" {
		m.System = strings.Trim(name, `"`) + " " + runtime.GOARCH
	}
	m.Processor = fileValue("/proc/cpuinfo", "model name", ":")
	if kib, err := strconv.ParseFloat(strings.TrimSuffix(fileValue("/proc/meminfo", "MemTotal", ":"), " kB"), 64); err == nil {
		m.MemoryGiB = math.Round(kib / (1 << 20))
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return m
	}
	for _, d := range info.Deps {
		switch d.Path {
		case "go.temporal.io/server":
			m.Temporal = d.Version
		case "go.temporal.io/sdk":
			m.SDK = d.Version
		}
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			m.Revision = s.Value[:min(12, len(s.Value))] + m.Revision
		case s.Key == "vcs.modified" && s.Value == "true":
			m.Revision += " with changes"
		}
	}
	return m
}

// load returns the number of runnable processes, 0 if unknown.
func load() float64 {
	var one float64
	if average, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(average), &one)
	}
	return one
}

// fileValue returns the first value of a name in a file of names and values, "" if there is none.
func fileValue(file, name, separator string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if n, v, ok := strings.Cut(lines.Text(), separator); ok && strings.TrimSpace(n) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// same reports whether the numbers of both may share one table: everything but the revision is the same.
func (m Machine) same(o Machine) bool {
	m.Revision, o.Revision = "", ""
	if m.Database == "" || o.Database == "" { // not asked yet
		m.Database, o.Database = "", ""
	}
	return m == o
}
