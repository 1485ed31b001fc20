#!/bin/sh
# Installs a MySQL-compatible server's binaries with apt-get, if that is possible. The -core packages hold the
# programs alone: no service is started, no user is created, no folder outside the packages' own is changed.
set -eu
packages="mariadb-server-core mariadb-client-core"
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
	echo "no MySQL-compatible server found (mariadbd or mysqld on the PATH): install one, such as the packages $packages" >&2
	exit 1
fi
echo "installing $packages" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # two packages
apt-get install -y -qq --no-install-recommends $packages >/dev/null
