package cmd

import (
	"errors"
	"time"

	"relay/internal/ops"
)

// Retention holds the days for which finished records are kept.
type Retention struct {
	EventDays int `env:"RETENTION_DAYS" envDefault:"90" desc:"days after which events that have ended are deleted, with their attempts; stats are kept"`
	AuditDays int `env:"AUDIT_RETENTION_DAYS" envDefault:"2192" desc:"days after which entries of the audit are deleted: six years"`
}

const maxDays = 36500 // a century; beyond three of them a Go duration ends

func (r Retention) check() error {
	switch {
	case r.EventDays < 1:
		return errors.New("RETENTION_DAYS: must be 1 or more")
	case r.EventDays > maxDays:
		return errors.New("RETENTION_DAYS: must be 36500 or less")
	case r.AuditDays < 1:
		return errors.New("AUDIT_RETENTION_DAYS: must be 1 or more")
	case r.AuditDays > maxDays:
		return errors.New("AUDIT_RETENTION_DAYS: must be 36500 or less")
	}
	return nil
}

func (r Retention) retention() ops.Retention {
	const day = 24 * time.Hour
	return ops.Retention{Events: time.Duration(r.EventDays) * day, Audit: time.Duration(r.AuditDays) * day}
}
