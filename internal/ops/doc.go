// Package ops defines the types of operation: search, replay, erasure, retention, reconciliation, stats, audit and the
// configuration that admins change. It is apart from package relay, so that adapters cannot see any of it.
package ops
