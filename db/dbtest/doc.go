// Package dbtest runs a private MySQL-compatible server: for tests, one per test process with a fresh database per test; for
// development, one on a folder that stays. It finds, initialises, starts, stops and kills such a server (MySQL 8 or later,
// MariaDB 10.11 or later), and knows nothing about its data.
//
// The server listens on 127.0.0.1 only and ends with the process that started it, even if that is killed.
package dbtest
