#!/bin/bash
# probe-addon-headlamp.sh: does Headlamp's page answer? Checks once.
#
# Takes:  PODIUM_ADDRESS, PODIUM_HEADLAMP_PORT
. "$(dirname "$0")/lib/step.sh"

url=http://$PODIUM_ADDRESS:$PODIUM_HEADLAMP_PORT/
curl --fail --silent --show-error --noproxy '*' --max-time 10 --output /dev/null "$url" ||
  die "Headlamp does not answer at $url" "see on the control plane: kubectl --namespace headlamp get pods"
