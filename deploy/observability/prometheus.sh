#!/usr/bin/env bash
# Gets prometheus and promtool for the tests, and prints where they are: those of the PATH, else Debian's package, unpacked into
# .cache. It is not installed, because the package starts a service. Exit status 75 means that they can't be had here.
set -euo pipefail
cd "$(dirname "$0")/../.."
home="$PWD/.cache/prometheus"

if command -v prometheus >/dev/null && command -v promtool >/dev/null; then
	dirname "$(command -v promtool)"
	exit 0
fi
if [ ! -x "$home/usr/bin/promtool" ]; then
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "no prometheus, and no apt-get to get it by" >&2; exit 75; }
	rm -rf "$home.new"
	mkdir -p "$home.new"
	(cd "$home.new" && apt-get -o APT::Sandbox::User=root download -qq prometheus >/dev/null && dpkg-deb -x prometheus_*.deb .) ||
		{ echo "Debian's package prometheus can't be had" >&2; exit 75; }
	rm -rf "$home" "$home.new"/prometheus_*.deb
	mv "$home.new" "$home"
fi
echo "$home/usr/bin"
