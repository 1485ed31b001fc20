// Package db holds all SQL of the relay: its tables and migrations, the inbox, the record of attempts, the configuration
// of storefronts and destinations, and the encryption of secrets at rest. It speaks the SQL that MySQL 8 and MariaDB
// 10.11 share, and knows nothing of HTTP, Temporal or adapters.
//
// The configuration, its audit and migrations are written with bun. Events and attempts are sent as parameters of the
// driver: bun interpolates strings into the statement and changes bytes (it drops NUL and replaces invalid UTF-8).
//
// A file's name begins with the part of the store that it serves:
//
//	inbox_     events arrive: ingestion, direct rows, claims with their leases and limits, duplicates
//	delivery   a row is delivered: runs, attempts, kill switches, health of destinations, reconciliation
//	config     storefronts, destinations, kill switches and their audit log, written with bun
//	history_   past events: search, stats, observation, retry, replay, erasure, purge
//	keys       encryption of secrets, and its rotation
//	schema_    tables, migrations, adoption of an existing table, the catalogue of platforms
//	store_     common parts: connections, transactions, errors, conditions
package db
