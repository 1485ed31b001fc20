// Package db holds all SQL of the relay: its tables and migrations, the inbox, the record of attempts, the configuration
// of storefronts and destinations, and the encryption of secrets at rest. It speaks the SQL that MySQL 8 and MariaDB
// 10.11 share, and knows nothing of HTTP, Temporal or adapters.
//
// Two ways lead to the server. What an admin or a migration writes goes through bun. Events and attempts go as parameters
// of the driver, because bun writes strings into the statement itself and changes bytes on the way (it drops NUL and
// replaces invalid UTF-8).
package db
