#!/bin/sh
# Brings Temporal's two databases to the version of this image; where they have it, nothing changes. It runs before each
# start of the server, so a newer image needs no step by hand. The connection comes from SQL_HOST, SQL_PORT, SQL_USER,
# SQL_PASSWORD and SQL_PLUGIN.
set -eu

bring() { # database, schema
	temporal-sql-tool --database "$1" setup-schema --version 0.0
	temporal-sql-tool --database "$1" update-schema --schema-name "$2"
}

bring temporal mysql/v8/temporal
bring temporal_visibility mysql/v8/visibility
