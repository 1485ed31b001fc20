#!/usr/bin/env bash
# The start order of docker-compose.temporal.yml without containers, on real parts, with the same scripts and settings as
# the containers: MySQL (unpacked by deploy/dev/test-mysql.sh into .cache), Temporal's schema by temporal-sql-tool, the
# server on that MySQL, the namespace, relay migrate up, the sandbox, relay api, relay worker, and deploy/compose/demo.sh.
# All files are in one temporary folder, and all processes end with this script. The first run builds Temporal's server, which takes minutes.
set -euo pipefail
cd "$(dirname "$0")/../../.."
root=$PWD
mysql_home=${MYSQL_HOME:-$root/.cache/mysql}
[ -x "$mysql_home/usr/sbin/mysqld" ] || { echo "start-order: no MySQL in .cache: run make test-mysql first" >&2; exit 75; }
programs=${PROGRAMS:-$root/.cache/start-order}
work=$(mktemp -d)
pids=()

cleanup() {
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		kill "${pids[i]}" 2>/dev/null && wait "${pids[i]}" 2>/dev/null || true
	done
	if [ -n "${KEEP:-}" ]; then echo "kept: $work" >&2; else rm -rf "$work"; fi
}
trap cleanup EXIT

say() { printf '%6.1f s  %s\n' "$(($(date +%s%N) / 1000000 - began))e-3" "$*"; }
began=$(($(date +%s%N) / 1000000))

wait_for() { # service, command...
	local service=$1 attempts=240
	shift
	until "$@" >/dev/null 2>&1; do
		attempts=$((attempts - 1))
		[ "$attempts" -gt 0 ] || { echo "start-order: $service does not start; see $work" >&2; KEEP=1; exit 1; }
		sleep 0.5
	done
	say "$service"
}

# --- the programs ---
mkdir -p "$programs"
version=$(awk '$1 == "go.temporal.io/server" {print $2}' deploy/go.mod)
if [ "$(cat "$programs/version" 2>/dev/null)" != "$version" ]; then
	mkdir -p "$work/server"
	(
		cd "$work/server"
		{ echo "module build" && sed -n '/^go /p;/^require (/,/^)/p' "$root/deploy/go.mod" | grep -v 'relay '; } >go.mod
		cp "$root/deploy/go.sum" .
		go build -mod=mod -o "$programs/temporal-sql-tool" go.temporal.io/server/cmd/tools/sql
		go build -mod=mod -o "$programs/temporal-server" go.temporal.io/server/cmd/server
	)
	echo "$version" >"$programs/version"
fi
CGO_ENABLED=0 go build -o "$programs/relay" ./cmd/relay
(cd deploy && CGO_ENABLED=0 go build -o "$programs/sandbox" ./sandbox/cmd/sandbox)
say "programs built, Temporal $version"

# --- settings: .env.example, filled in ---
# Below 32768: Temporal's table of its own nodes cannot store a higher port.
port() {
	local p
	while p=$((20000 + RANDOM % 12000)); (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; do :; done
	echo "$p"
}
mysql_port=$(port) temporal_port=$(port) relay_port=$(port) worker_port=$(port) sandbox_port=$(port)
key=$("$programs/relay" keygen)
sed -e 's/^\([A-Z_]*PASSWORD\)=$/\1=start0rder/' -e "s|^ENCRYPTION_KEY=$|ENCRYPTION_KEY=$key|" .env.example >"$work/.env"
set -a
# shellcheck disable=SC1091 # written above
. "$work/.env"
set +a

# --- mysql ---
loader=$(find "$mysql_home/usr/lib" -name 'ld-linux*.so*' | head -n 1)
libraries=$(dirname "$(find "$mysql_home/usr/lib" -name 'libc.so.6' | head -n 1)")
mysqld() {
	local user=()
	[ "$(id -u)" != 0 ] || user=(--user=root)
	exec "$loader" --library-path "$libraries" "$mysql_home/usr/sbin/mysqld" --no-defaults "${user[@]}" --basedir="$mysql_home/usr" \
		--lc-messages-dir="$mysql_home/usr/share/mysql" --secure-file-priv= --datadir="$work/data" --tmpdir="$work" \
		--socket="$work/mysql.sock" --mysqlx=OFF --log-error="$work/mysql.log" "$@"
}
(mysqld --initialize-insecure)
mysqld --bind-address=127.0.0.1 --port="$mysql_port" &
pids+=($!)
mkdir "$work/bin" # the machine's own configuration may name another socket
printf '#!/bin/sh\nexec %s --no-defaults --socket=%s/mysql.sock "$@" --host=localhost\n' "$(command -v mysql)" "$work" >"$work/bin/mysql"
chmod +x "$work/bin/mysql"
export PATH=$work/bin:$PATH
wait_for "mysql responds" mysql --protocol=socket --user=root --execute 'SELECT 1'
MYSQL_ROOT_PASSWORD='' deploy/compose/databases.sh
say "databases and users created"

# --- temporal-schema, twice, as a second "up" would ---
schema() {
	env PATH="$programs:$PATH" SQL_PLUGIN=mysql8 SQL_HOST=127.0.0.1 SQL_PORT="$mysql_port" SQL_USER=temporal \
		SQL_PASSWORD="$TEMPORAL_MYSQL_PASSWORD" sh deploy/compose/temporal-schema.sh
}
schema >"$work/schema.log" 2>&1
schema >>"$work/schema.log" 2>&1
say "Temporal's schema, and again"

# --- temporal ---
"$programs/temporal-server" validate-dynamic-config deploy/compose/temporal-dynamic.yaml
free() { for name in "$@"; do echo "$name=$(port)"; done; }
# shellcheck disable=SC2046 # words
env $(free FRONTEND_MEMBERSHIP_PORT FRONTEND_HTTP_PORT MATCHING_GRPC_PORT MATCHING_MEMBERSHIP_PORT HISTORY_GRPC_PORT HISTORY_MEMBERSHIP_PORT \
	WORKER_GRPC_PORT WORKER_MEMBERSHIP_PORT) DB=mysql8 MYSQL_SEEDS=127.0.0.1 DB_PORT="$mysql_port" MYSQL_USER=temporal \
	MYSQL_PWD="$TEMPORAL_MYSQL_PASSWORD" BIND_ON_IP=127.0.0.1 FRONTEND_GRPC_PORT="$temporal_port" NUM_HISTORY_SHARDS=16 \
	DYNAMIC_CONFIG_FILE_PATH="$root/deploy/compose/temporal-dynamic.yaml" TEMPORAL_ALLOW_NO_AUTH=true LOG_LEVEL=warn \
	"$programs/temporal-server" start >"$work/temporal.log" 2>&1 &
pids+=($!)
wait_for "Temporal's port is open" bash -c "exec 3<>/dev/tcp/127.0.0.1/$temporal_port"

# --- temporal-namespace: its script needs the temporal command, which cannot be built here; the server's HTTP API does ---
http_port=$(tr '\0' '\n' <"/proc/${pids[-1]}/environ" | sed -n 's/^FRONTEND_HTTP_PORT=//p')
wait_for "the namespace is created" curl --silent --fail --request POST "http://127.0.0.1:$http_port/cluster/namespaces" \
	--header 'Content-Type: application/json' --data '{"namespace": "default", "workflowExecutionRetentionPeriod": "2592000s"}'

# --- migrate, sandbox, api, worker ---
export DATABASE_URL="mysql://relay:$MYSQL_PASSWORD@127.0.0.1:$mysql_port/relay" TEMPORAL_ADDRESS="127.0.0.1:$temporal_port"
export ALLOWED_PRIVATE_NETS=127.0.0.0/8 # for this sandbox
"$programs/relay" migrate up | tee "$work/migrate.log" | tail -n 1
"$programs/sandbox" -listen "127.0.0.1:$sandbox_port" >"$work/sandbox.log" 2>&1 &
pids+=($!)
wait_for "the sandbox is healthy" "$programs/sandbox" -health "http://127.0.0.1:$sandbox_port/healthy"
LISTEN_ADDR=127.0.0.1:$relay_port "$programs/relay" api >"$work/api.log" 2>&1 &
pids+=($!)
LISTEN_ADDR=127.0.0.1:$worker_port "$programs/relay" worker >"$work/worker.log" 2>&1 &
pids+=($!)
wait_for "the api is ready" env LISTEN_ADDR=":$relay_port" "$programs/relay" health --ready
wait_for "the worker is ready" env LISTEN_ADDR=":$worker_port" "$programs/relay" health --ready

# --- one event, end to end ---
RELAY_URL="http://127.0.0.1:$relay_port" SANDBOX_URL="http://127.0.0.1:$sandbox_port" ENV_FILE="$work/.env" deploy/compose/demo.sh | tee "$work/demo.log"
grep -q '"status": *"delivered"' "$work/demo.log"
curl --silent --fail "http://127.0.0.1:$sandbox_port/_control/counts" | grep -q '/mp/collect'
say "delivered"
