# Sourced by run.sh: the commands of docker-compose.temporal.yml's first lines, and what happens to a deployment afterwards.
fail() {
	echo "containers: $*" >&2
	exit 1
}

commit=$(git rev-parse HEAD) # once: people commit while this runs
sed -e 's/^\([A-Z_]*PASSWORD\)=$/\1=c0ntainers/' -e "s|^ENCRYPTION_KEY=$|ENCRYPTION_KEY=$(head -c 32 /dev/urandom | base64 | tr -- '+/' '-_')|" \
	-e "s/^#RELAY_COMMIT=$/RELAY_COMMIT=$commit/" .env.example >"$run/env"

# deliver sends one event within the number of seconds.
deliver() {
	ENV_FILE=$run/env timeout "$1" deploy/compose/demo.sh >"$run/demo.log" 2>&1 || { cat "$run/demo.log" >&2; fail "no event was delivered in $1 s $2"; }
	grep -q '"status": *"delivered"' "$run/demo.log" || { cat "$run/demo.log" >&2; fail "the event failed $2"; }
	say "an event was delivered $2"
}

# --- the first start ---
compose --progress plain build >"$run/build.log" 2>&1 || { tail -n 60 "$run/build.log" >&2; fail "the relay's images cannot be built"; }
say "the relay's images are built"
compose up --detach --wait >"$run/up.log" 2>&1 || { cat "$run/up.log" >&2; fail "up --wait fails"; }
say "everything is healthy"
deliver 60 "after the first start"
compose exec -T api /relay version | grep -q "$commit" || fail "the image does not know its commit"

# --- a wrong password is named ---
if compose run --rm --no-deps -e MYSQL_ROOT_PASSWORD=wrong databases >"$run/wrong.log" 2>&1; then fail "databases accepts a wrong password"; fi
grep -q 'databases: MYSQL_ROOT_PASSWORD of .env is not' "$run/wrong.log" || { cat "$run/wrong.log" >&2; fail "databases does not name the wrong password"; }
say "a wrong root password is named"

# --- every process is killed; restart policies bring it back ---
for service in sandbox mysql temporal api worker; do
	kill -9 "$(docker inspect --format '{{.State.Pid}}' "$(compose ps --quiet "$service")")"
done
compose up --detach --wait >"$run/up.log" 2>&1 || { cat "$run/up.log" >&2; fail "not healthy after kills"; }
deliver 120 "after a kill of every process"

# --- quickly down and up, with another password: Temporal must not wait for its former address ---
sed -i 's/^TEMPORAL_MYSQL_PASSWORD=.*/TEMPORAL_MYSQL_PASSWORD=an0ther/' "$run/env"
compose down --timeout 20 >/dev/null 2>&1
compose up --detach --wait >"$run/up.log" 2>&1 || { cat "$run/up.log" >&2; fail "up --wait fails after down"; }
deliver 15 "after a quick down and up with another password"

# --- a worker stops by itself ---
worker=$(compose ps --quiet worker)
compose stop worker >/dev/null 2>&1
[ "$(docker inspect --format '{{.State.ExitCode}}' "$worker")" = 0 ] || fail "the worker did not stop by SIGTERM"
say "passed"
