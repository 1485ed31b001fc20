#!/usr/bin/env bash
# Finds prometheus, promtool and amtool for the tests, and prints their folder: those of the PATH, else Debian's packages, unpacked
# into .cache. The packages are not installed, because they start services. Exit status 75 means that they are not available here.
# Debian's Alertmanager itself does not run like this: it needs a file below /usr/share.
set -euo pipefail
cd "$(dirname "$0")/../.."
home="$PWD/.cache/prometheus"

if command -v prometheus >/dev/null && command -v promtool >/dev/null && command -v amtool >/dev/null; then
	dirname "$(command -v promtool)"
	exit 0
fi
if [ ! -x "$home/usr/bin/promtool" ] || [ ! -x "$home/usr/bin/amtool" ]; then
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "prometheus is not installed, and there is no apt-get" >&2; exit 75; }
	rm -rf "$home.new"
	mkdir -p "$home.new"
	(cd "$home.new" && apt-get -o APT::Sandbox::User=root download -qq prometheus prometheus-alertmanager >/dev/null &&
		for package in *.deb; do dpkg-deb -x "$package" . && rm "$package"; done) ||
		{ echo "Debian's packages prometheus and prometheus-alertmanager cannot be downloaded" >&2; exit 75; }
	rm -rf "$home"
	mv "$home.new" "$home"
fi
echo "$home/usr/bin"
