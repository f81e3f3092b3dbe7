#!/bin/bash
# probe-keepalived.sh: does one of the control planes have the virtual address? Checks once.
#
# Takes:  PODIUM_NODE, PODIUM_VIRTUAL_ADDRESS
. "$(dirname "$0")/lib/step.sh"

[[ -z $(ip -o -4 address show to "$PODIUM_VIRTUAL_ADDRESS") ]] || exit 0
code=0
curl --silent --insecure --connect-timeout 1 --max-time 3 --output /dev/null "https://$PODIUM_VIRTUAL_ADDRESS:8443/" || code=$?
case $code in
  6 | 7 | 28) die "no control plane has the virtual address $PODIUM_VIRTUAL_ADDRESS" "see on $PODIUM_NODE: journalctl -u keepalived" ;;
esac
