#!/bin/sh
# Creates the namespace, unless it exists. Finished workflows stay readable for RETENTION. The server's port opens a few
# seconds before it responds, hence the attempts.
set -eu

attempts=30
until temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; do
	temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION" && exit 0
	attempts=$((attempts - 1))
	[ "$attempts" -gt 0 ] || exit 1
	sleep 2
done
