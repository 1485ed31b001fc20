#!/usr/bin/env bash
# Lints the OpenAPI document of this checkout with Redocly's linter, which is independent of huma. npm installs it once into
# .cache; without npm or a registry the lint is skipped, unless LINT_OPENAPI=required, as in CI.
set -euo pipefail
cd "$(dirname "$0")/../../.."
here=deploy/tests/api
tools=.cache/openapi-lint

skip() {
	echo "openapi lint skipped: $1" >&2
	[ "${LINT_OPENAPI:-}" != required ]
	exit
}

command -v npm >/dev/null || skip "npm is not installed"
mkdir -p "$tools"
if ! cmp -s "$here/package.json" "$tools/installed.json"; then
	cp "$here/package.json" "$tools/package.json"
	npm install --prefix "$tools" --silent --no-audit --no-fund --ignore-scripts >/dev/null || skip "npm cannot install the linter"
	cp "$here/package.json" "$tools/installed.json"
fi
go run ./cmd/relay openapi >"$tools/openapi.json"
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
	"$tools/node_modules/.bin/redocly" lint "$tools/openapi.json" --config "$here/redocly.yaml"
