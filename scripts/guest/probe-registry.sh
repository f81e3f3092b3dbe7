#!/bin/bash
# probe-registry.sh: does the registry answer? Checks once.
#
# Takes:  PODIUM_REGISTRY_PORT
. "$(dirname "$0")/lib/step.sh"

curl --fail --silent --show-error --noproxy '*' --max-time 10 --output /dev/null "http://127.0.0.1:$PODIUM_REGISTRY_PORT/v2/"
