#!/usr/bin/env bash
# Brings into the folder of its argument what run.sh needs from the network: Debian's packages, the programs of Temporal, and the modules of
# which the images are built.
set -euo pipefail
cache=$1
fetch() { "$@" || { echo "containers: not run: no modules: $*" >&2 && exit 75; }; }

[ -x "$cache/root/usr/bin/mysql" ] || deploy/dev/unpack-debian.sh "$cache/root" mysql-server-core mysql-client-core bash busybox-static libc-bin
if [ ! -x "$cache/docker-compose" ]; then
	deploy/dev/unpack-debian.sh "$cache/compose" docker-compose
	cp "$(find "$cache/compose" -path '*cli-plugins/docker-compose' -type f)" "$cache/docker-compose"
	rm -rf "$cache/compose"
fi

# Temporal, as deploy/go.mod has it; with cgo, as the tests of this module build it.
version=$(awk '$1 ~ "^go.temporal.io/server$|ui-server" {print $2}' deploy/go.mod)
if [ "$(cat "$cache/temporal/version" 2>/dev/null)" != "$version" ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$cache/temporal"
	{ echo "module build" && sed -n '/^go /p;/^require (/,/^)/p' deploy/go.mod | grep -v 'relay '; } >"$work/go.mod"
	cp deploy/go.sum "$work"
	(
		cd "$work"
		fetch go mod download go.temporal.io/server github.com/temporalio/ui-server/v2
		go build -mod=mod -o "$cache/temporal/temporal-sql-tool" go.temporal.io/server/cmd/tools/sql
		go build -mod=mod -o "$cache/temporal/temporal-server" go.temporal.io/server/cmd/server
		go build -mod=mod -o "$cache/temporal/ui-server" github.com/temporalio/ui-server/v2/cmd/server
		cp "$(go list -mod=mod -m -f '{{.Dir}}' go.temporal.io/server)/docker/scripts/sh/entrypoint.sh" "$cache/temporal/entrypoint.sh"
		ui=$(go list -mod=mod -m -f '{{.Dir}}' github.com/temporalio/ui-server/v2)
		cp "$ui/docker/start-ui-server.sh" "$ui/config/docker.yaml" "$cache/temporal"
	)
	chmod -R u+w "$cache/temporal"
	echo "$version" >"$cache/temporal/version"
fi

# The build in the engine has no other network than run.sh's: it takes its modules from this machine's.
fetch go mod download
(cd deploy && fetch go list -deps ./sandbox/cmd/sandbox >/dev/null)
