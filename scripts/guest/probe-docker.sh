#!/bin/bash
# probe-docker.sh: does the engine answer the lab's user? Checks once.
#
# Takes:  PODIUM_USER
. "$(dirname "$0")/lib/step.sh"

runuser --user "$PODIUM_USER" -- docker info --format '{{.ServerVersion}}' >/dev/null ||
  die "the Docker engine does not answer $PODIUM_USER"
