#!/usr/bin/env bash
# Installs a MySQL-compatible server where that is possible without asking anybody, and else says what is missing.
set -euo pipefail
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "installing mariadb-server with apt-get ..."
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mariadb-server >/dev/null
	exit 0
fi
echo "No mariadbd or mysqld found. Install one (Debian: apt-get install mariadb-server; macOS: brew install mariadb)," >&2
echo "or set DATABASE_URL to a database that make dev may use." >&2
exit 1
