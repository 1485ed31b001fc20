#!/usr/bin/env bash
# Runs docker-compose.temporal.yml on a container engine of its own: the relay's images as deploy/Dockerfile builds them, and substitutes of
# the public images under their names, from Debian's packages and the modules of Temporal (substitutes.sh). It sends the demo event, kills every process,
# stops and starts everything with a changed password, and sends it again. Exit status 75 means that no engine can run here.
#
# Everything runs in namespaces of its own, so that ports, subnets, packet filters and mounts are nobody else's, and the kernel ends all of it with this
# script. The caches are in .cache/containers: the engine's images, and the folders of the substitutes.
set -euo pipefail
cd "$(dirname "$0")/../../.."
here=deploy/tests/containers
cache=$PWD/.cache/containers
began=${CONTAINERS_BEGAN:-$(date +%s%N)}

say() { printf '%6.1f s  %s\n' "$((($(date +%s%N) - began) / 100000000))e-1" "$*"; }
unavailable() {
	echo "containers: not run: $1" >&2
	exit 75
}

# --- outside: what needs the network ---
if [ -z "${CONTAINERS_BEGAN:-}" ]; then
	[ "$(id -u)" = 0 ] || unavailable "an engine needs root"
	for program in dockerd containerd runc docker iptables ip unshare go; do
		command -v "$program" >/dev/null || unavailable "$program is not installed (Debian: docker.io iptables iproute2)"
	done
	unshare --net --mount --pid --fork true 2>/dev/null || unavailable "the kernel refuses namespaces"
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock 9 # one run in a checkout; others are independent
	$here/prepare.sh "$cache"
	say "programs and packages are there"
	CONTAINERS_BEGAN=$began CONTAINERS_RUN=$(mktemp -d /tmp/containers-XXXXXX) \
		exec unshare --net --mount --pid --fork --kill-child --mount-proc $here/run.sh
fi

# --- inside ---
run=$CONTAINERS_RUN
group=containers-${run##*-}
cleanup() {
	status=$?
	if [ "$status" != 0 ] && [ "$status" != 75 ]; then
		compose ps --all 2>/dev/null || true
		compose logs --no-color --tail 40 2>/dev/null || true
		tail -n 20 "$run/dockerd.log" || true
	fi
	compose down --volumes --timeout 5 >/dev/null 2>&1 || true
	kill "$engine" 2>/dev/null && wait "$engine" 2>/dev/null || true
	find /sys/fs/cgroup -depth -type d -path "*/$group*" -exec rmdir {} + 2>/dev/null || true
	rm -rf "$run"
}
compose() { docker compose --project-name containers --env-file "$run/env" -f docker-compose.temporal.yml "$@"; }

mount -t tmpfs tmpfs /run # another engine's sockets
ip link set lo up
export DOCKER_HOST=unix://$run/docker.sock DOCKER_CONFIG=$run/config COMPOSE_BAKE=false
mkdir -p "$run/config/cli-plugins"
ln -s "$cache/docker-compose" "$run/config/cli-plugins/docker-compose"
# State of a run that was killed.
rm -rf "$cache"/engine/{containers,network,volumes}
dockerd --data-root "$cache/engine" --exec-root "$run/exec" --pidfile "$run/pid" --host "$DOCKER_HOST" --cgroup-parent "/$group" --bip 10.213.0.1/24 \
	--default-address-pool base=10.214.0.0/16,size=24 >"$run/dockerd.log" 2>&1 &
engine=$!
trap cleanup EXIT
for _ in $(seq 120); do
	docker info >/dev/null 2>&1 && break
	kill -0 "$engine" 2>/dev/null || unavailable "dockerd does not start: $(tail -n 1 "$run/dockerd.log")"
	sleep 0.25
done
docker info >/dev/null 2>&1 || unavailable "dockerd does not respond: $(tail -n 1 "$run/dockerd.log")"
say "the engine runs"

. $here/substitutes.sh
say "the substitutes are there"
. $here/scenario.sh
