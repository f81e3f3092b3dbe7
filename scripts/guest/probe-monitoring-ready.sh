#!/bin/bash
# probe-monitoring-ready.sh: is everything that Prometheus watches up, by its own account? Checks once.
#
# Takes:  PODIUM_TARGETS (lines "job node", or "job -" where a job is about no node), PODIUM_ADDRESS,
#         PODIUM_PROMETHEUS_PORT
. "$(dirname "$0")/lib/step.sh"

url=http://$PODIUM_ADDRESS:$PODIUM_PROMETHEUS_PORT
answer=$(curl --fail --silent --show-error --noproxy '*' --max-time 10 "$url/api/v1/query?query=up==1")
up=$(grep -o '"metric":{[^}]*}' <<<"$answer") || die "Prometheus has reached nothing yet"
while read -r job node; do
  found=$(grep -F "\"job\":\"$job\"" <<<"$up" || true)
  if [[ $node == - ]]; then
    [[ -n $found ]] || die "Prometheus does not reach $job" "see why, in a browser: $url/targets"
  else
    grep -q -F "\"node\":\"$node\"" <<<"$found" || die "Prometheus does not reach $job of $node" "see why, in a browser: $url/targets"
  fi
done <<<"$PODIUM_TARGETS"
