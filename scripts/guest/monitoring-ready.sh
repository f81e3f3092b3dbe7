#!/bin/bash
# monitoring-ready.sh: nothing to do; its probe waits until Prometheus has reached everything that it watches.
#
# Takes:  PODIUM_TARGETS (lines "job node", or "job -" where a job is about no node)
# Gives:  monitored_targets
# Alone:  sudo PODIUM_TARGETS='node w1' bash monitoring-ready.sh
. "$(dirname "$0")/lib/step.sh"

fact monitored_targets "$(wc -l <<<"$PODIUM_TARGETS")"
