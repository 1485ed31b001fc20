package temporal

import (
	"sync/atomic"

	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// logger keeps a stopping server from ending the process: a system workflow that could not be started before the
// stop, as injected faults make likely, is fatal to Temporal.
type logger struct {
	log.Logger
	stopping *atomic.Bool
}

func newLogger(level, file string, stopping *atomic.Bool) logger {
	return logger{log.NewZapLogger(log.BuildZapLogger(log.Config{Level: level, OutputFile: file})), stopping}
}

func (l logger) Fatal(msg string, tags ...tag.Tag) {
	if l.stopping.Load() {
		l.Error(msg, tags...)
		return
	}
	l.Logger.Fatal(msg, tags...)
}
