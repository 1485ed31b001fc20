#!/bin/sh
# The part of the command temporal that deploy/compose/temporal-namespace.sh uses, by the server's HTTP API:
#   temporal operator namespace describe|create --namespace NAME [--retention 30d]
set -eu
[ "$1 $2" = "operator namespace" ] || exit 64
action=$3 namespace=$5 url=http://${TEMPORAL_ADDRESS%:*}:7243/cluster/namespaces
case $action in
describe) exec wget -q -O /dev/null "$url/$namespace" ;;
create)
	days=${7%d}
	exec wget -q -O /dev/null --header 'Content-Type: application/json' \
		--post-data "{\"namespace\": \"$namespace\", \"workflowExecutionRetentionPeriod\": \"$((days * 86400))s\"}" "$url"
	;;
*) exit 64 ;;
esac
