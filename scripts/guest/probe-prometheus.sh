#!/bin/bash
# probe-prometheus.sh: is Prometheus ready to answer? Checks once.
#
# Takes:  PODIUM_PROMETHEUS_PORT
. "$(dirname "$0")/lib/step.sh"

curl --fail --silent --show-error --noproxy '*' --max-time 10 --output /dev/null "http://127.0.0.1:$PODIUM_PROMETHEUS_PORT/-/ready"
