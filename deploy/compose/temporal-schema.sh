#!/bin/sh
# Migrates Temporal's two databases to the version of this image; an up-to-date one does not change. It runs before each
# start of the server, so a newer image needs no manual step. The connection comes from SQL_HOST, SQL_PORT, SQL_USER,
# SQL_PASSWORD and SQL_PLUGIN.
set -eu

migrate() { # database, schema
	temporal-sql-tool --database "$1" setup-schema --version 0.0
	temporal-sql-tool --database "$1" update-schema --schema-name "$2"
}

migrate temporal mysql/v8/temporal
migrate temporal_visibility mysql/v8/visibility
