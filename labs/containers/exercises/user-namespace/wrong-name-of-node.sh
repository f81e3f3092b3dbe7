#!/usr/bin/env bash
# Root inside, but it is the node that was given the name.
set -euo pipefail
hostname "$NAME"
setsid setpriv --reuid "$PODIUM_USER" --regid "$PODIUM_USER" --init-groups unshare --user --map-root-user --uts \
  sh -c "hostname other; exec sleep $NUMBER" </dev/null >/dev/null 2>&1 &
