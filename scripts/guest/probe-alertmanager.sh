#!/bin/bash
# probe-alertmanager.sh: is Alertmanager ready to take alerts? Checks once.
#
# Takes:  PODIUM_ALERTMANAGER_PORT
. "$(dirname "$0")/lib/step.sh"

curl --fail --silent --show-error --noproxy '*' --max-time 10 --output /dev/null "http://127.0.0.1:$PODIUM_ALERTMANAGER_PORT/-/ready"
