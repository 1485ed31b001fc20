#!/usr/bin/env bash
# Finds prometheus and promtool for the tests, and prints their folder: those of the PATH, else Debian's package, unpacked into
# .cache. The package is not installed, because it starts a service. Exit status 75 means that they are not available here.
set -euo pipefail
cd "$(dirname "$0")/../.."
home="$PWD/.cache/prometheus"

if command -v prometheus >/dev/null && command -v promtool >/dev/null; then
	dirname "$(command -v promtool)"
	exit 0
fi
if [ ! -x "$home/usr/bin/promtool" ]; then
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "prometheus is not installed, and there is no apt-get" >&2; exit 75; }
	rm -rf "$home.new"
	mkdir -p "$home.new"
	(cd "$home.new" && apt-get -o APT::Sandbox::User=root download -qq prometheus >/dev/null && dpkg-deb -x prometheus_*.deb .) ||
		{ echo "Debian's package prometheus cannot be downloaded" >&2; exit 75; }
	rm -rf "$home" "$home.new"/prometheus_*.deb
	mv "$home.new" "$home"
fi
echo "$home/usr/bin"
