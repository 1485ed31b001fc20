#!/usr/bin/env bash
# Unpacks packages of Debian's unstable suite, with the libraries they need, into a folder; nothing on the machine changes. Their programs run
# through the loader of the folder, or in a container. Exit status 75 means that they are not available here.
#   deploy/dev/unpack-debian.sh FOLDER PACKAGE...
set -euo pipefail
home=$1
shift

unavailable() {
	echo "unpack-debian: no $1: $2" >&2
	exit 75
}

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || unavailable "$1" "it is unpacked from Debian packages, and there is no apt-get"
# shellcheck disable=SC2016 # apt's own variables
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1)
[ -n "$mirror" ] || unavailable "$1" "apt-get has no Debian mirror; apt-get update may help"
rm -rf "$home.new"
# apt's lists, cache and (empty) status are beside the folder.
mkdir -p "$home.new"/{state/lists/partial,cache/archives/partial,root}
home=$(cd "$home.new" && pwd)
: >"$home/status"
keys=$(ls /usr/share/keyrings/debian-archive-keyring.* | head -n 1)
echo "deb [signed-by=$keys] $mirror sid main" >"$home/sources.list"
cat >"$home/apt.conf" <<-END
	Dir::Etc::sourcelist "$home/sources.list";
	Dir::Etc::sourceparts "-";
	Dir::State "$home/state";
	Dir::State::status "$home/status";
	Dir::Cache "$home/cache";
	APT::Sandbox::User "";
END
export APT_CONFIG="$home/apt.conf"
apt-get update -qq || unavailable "$1" "the mirror does not respond"
apt-get install -y -qq --no-install-recommends --download-only "$@" >/dev/null || unavailable "$1" "the packages cannot be downloaded"
for package in "$home"/cache/archives/*.deb; do
	dpkg-deb -x "$package" "$home/root"
done
rm -rf "${home%.new}"
mv "$home/root" "${home%.new}"
rm -rf "$home"
