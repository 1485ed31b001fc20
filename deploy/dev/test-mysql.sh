#!/usr/bin/env bash
# Runs the database tests and the end-to-end tests on a real MySQL. It comes from Debian's unstable suite, with the libraries it
# needs, unpacked into .cache and started through its own loader: nothing on the machine changes, and MariaDB may be
# installed beside it. Exit status 75 means that it is not available here.
set -euo pipefail
cd "$(dirname "$0")/../.."
home="$PWD/.cache/mysql"

unavailable() {
	echo "test-mysql: no MySQL to test with: $1" >&2
	exit 75
}

# unpack downloads the packages with a separate apt configuration: its lists, cache and (empty) status are in .cache.
unpack() {
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || unavailable "it is unpacked from Debian packages, and there is no apt-get"
	local mirror
	# shellcheck disable=SC2016 # apt's own variables
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1)
	[ -n "$mirror" ] || unavailable "apt-get has no Debian mirror"
	rm -rf "$home.new"
	mkdir -p "$home.new"/{state/lists/partial,cache/archives/partial,root}
	: >"$home.new/status"
	keys=$(ls /usr/share/keyrings/debian-archive-keyring.* | head -n 1)
	echo "deb [signed-by=$keys] $mirror sid main" >"$home.new/sources.list"
	cat >"$home.new/apt.conf" <<-END
		Dir::Etc::sourcelist "$home.new/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::State "$home.new/state";
		Dir::State::status "$home.new/status";
		Dir::Cache "$home.new/cache";
		APT::Sandbox::User "";
	END
	export APT_CONFIG="$home.new/apt.conf"
	apt-get update -qq || unavailable "the mirror does not respond"
	apt-get install -y -qq --no-install-recommends --download-only mysql-server-core >/dev/null || unavailable "the packages cannot be downloaded"
	unset APT_CONFIG
	for package in "$home.new"/cache/archives/*.deb; do
		dpkg-deb -x "$package" "$home.new/root"
	done
	mv "$home.new/root" "$home"
	rm -rf "$home.new"
}

[ -x "$home/usr/sbin/mysqld" ] || unpack
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
