#!/usr/bin/env bash
set -euo pipefail
pkill -KILL -xf "sleep $NUMBER" || true
# shellcheck disable=SC2016 # the inner shell expands them
setsid unshare --user --map-root-user --uts sh -c 'hostname "$1"; exec sleep "$2"' sh "$NAME" "$NUMBER" </dev/null >/dev/null 2>&1 &
until pgrep -xf "sleep $NUMBER" >/dev/null; do sleep 0.1; done
