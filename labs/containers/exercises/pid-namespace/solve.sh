#!/usr/bin/env bash
set -euo pipefail
pkill -KILL -xf "sleep $NUMBER" || true
setsid unshare --fork --pid --mount-proc sleep "$NUMBER" </dev/null >/dev/null 2>&1 &
until pgrep -xf "sleep $NUMBER" >/dev/null; do sleep 0.1; done
