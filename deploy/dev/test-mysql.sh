#!/usr/bin/env bash
# Runs the database tests and the end-to-end tests on a real MySQL. It comes from Debian's unstable suite, with the libraries it
# needs, unpacked into .cache and started through its own loader: nothing on the machine changes, and MariaDB may be
# installed beside it. Exit status 75 means that it is not available here.
set -euo pipefail
cd "$(dirname "$0")/../.."
home="$PWD/.cache/mysql"

[ -x "$home/usr/sbin/mysqld" ] || deploy/dev/unpack-debian.sh "$home" mysql-server-core
loader=$(find "$home/usr/lib" -name 'ld-linux*.so*' -type f -o -name 'ld-linux*.so*' -type l | head -n 1)
libraries=$(dirname "$(find "$home/usr/lib" -name 'libc.so.6' | head -n 1)")
export DBTEST_SERVER="$home/usr/sbin/mysqld"
export DBTEST_SERVER_PREFIX="$loader --library-path $libraries"
$DBTEST_SERVER_PREFIX "$DBTEST_SERVER" --no-defaults --version

# The servers' files are in memory if there is room: otherwise most of the time would be spent waiting for the disk.
memory=/dev/shm
if [ "$(df --output=avail -B1G "$memory" 2>/dev/null | tail -n 1)" -ge 8 ] 2>/dev/null; then
	TMPDIR=$(mktemp -d "$memory/relay-mysql-XXXXXX")
	export TMPDIR
	trap 'rm -rf "$TMPDIR"' EXIT
fi

go test -count=1 -timeout 30m ./db/... ./api
[ "${1-}" = db ] && exit
cd deploy
go test -count=1 -timeout 30m ./dev/harness ./tests/e2e/...
