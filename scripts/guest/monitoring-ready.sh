#!/bin/bash
# monitoring-ready.sh: nothing to do; its probe waits until Prometheus has reached every node.
#
# Takes:  PODIUM_TARGETS (names by spaces)
# Gives:  monitored_nodes
# Alone:  sudo PODIUM_TARGETS='cp w1' bash monitoring-ready.sh
. "$(dirname "$0")/lib/step.sh"

# shellcheck disable=SC2206 # one word per node
targets=($PODIUM_TARGETS)
fact monitored_nodes "${#targets[@]}"
