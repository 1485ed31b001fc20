#!/bin/sh
# Prints the section of CHANGELOG.md for a tag (v1.2.3), as the text of a release. A tag without a section fails: write it first.
set -eu
cd "$(dirname "$0")/../.."
version=${1#v}
notes=$(awk -v version="$version" '
	/^## \[/ { inside = index($0, "## [" version "]") == 1; next }
	/^\[[^]]*\]: / { next }
	inside' "${CHANGELOG:-CHANGELOG.md}")
case $notes in
*[![:space:]]*) printf '%s\n' "$notes" ;;
*)
	echo "CHANGELOG.md has no section [$version]" >&2
	exit 1
	;;
esac
