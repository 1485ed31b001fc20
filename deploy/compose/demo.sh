#!/bin/sh
# Creates a demo storefront whose container is the sandbox, sends one event, waits for it and prints its final status. Run it
# on the host, after `docker compose -f docker-compose.temporal.yml up`, with the .env of that file beside it. It can be run
# again.
set -eu
cd "$(dirname "$0")/../.."
env_file=${ENV_FILE:-./.env}
. "$env_file"

api=${RELAY_URL:-http://localhost:${RELAY_PORT:-8000}}
sandbox=${SANDBOX_URL:-http://sandbox:8900} # as the worker sees it
order=demo_$(date +%s)

call() { # method, path, body
	curl --silent --show-error --user "${ADMIN_AUTH_USERNAME:-$BASIC_AUTH_USERNAME}:${ADMIN_AUTH_PASSWORD:-$BASIC_AUTH_PASSWORD}" \
		--request "$1" --header 'Content-Type: application/json' --data "$3" --write-out '\n' "$api$2"
}

echo 'storefront and its container (a conflict means that it exists):'
call POST /admin/v1/storefronts '{"storefront_id": "demo", "name": "Demo"}'
call POST /admin/v1/sgtm-configs '{"storefront_code": "demo", "sgtm_url": "'"$sandbox"'", "client_type": "ga4", "measurement_id": "G-DEMO"}'

echo 'one event:'
curl --silent --show-error --fail --user "$BASIC_AUTH_USERNAME:$BASIC_AUTH_PASSWORD" --header 'Content-Type: application/json' --write-out '\n' \
	--data '{"count": 1, "data": [{"storefront_id": "demo", "event_name": "purchase_completed", "event_time": "'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'",
	"order_id": "'"$order"'", "order_revenue": 80.79}]}' "$api/v1/events"

echo 'its final status:'
attempts=120
until call GET "/admin/v1/events?order_id=$order" '' | grep -E '"status": ?"(delivered|failed|skipped)"'; do
	attempts=$((attempts - 1))
	[ "$attempts" -gt 0 ] || { echo "it has not ended; see docker compose logs worker" >&2; exit 1; }
	sleep 1
done
