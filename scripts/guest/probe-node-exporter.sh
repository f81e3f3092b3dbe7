#!/bin/bash
# probe-node-exporter.sh: does the exporter answer at the node's private address? Checks once.
#
# Takes:  PODIUM_ADDRESS
. "$(dirname "$0")/lib/step.sh"

metrics=$(curl --fail --silent --show-error --noproxy '*' --max-time 10 "http://$PODIUM_ADDRESS:9100/metrics")
grep -q '^node_boot_time_seconds ' <<<"$metrics" || die "http://$PODIUM_ADDRESS:9100/metrics is not the node exporter's"
