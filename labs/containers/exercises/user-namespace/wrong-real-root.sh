#!/usr/bin/env bash
# The node's own root, with a name of its own: nothing of its power is taken away.
set -euo pipefail
# shellcheck disable=SC2016 # the inner shell expands them
setsid unshare --uts sh -c 'hostname "$1"; exec sleep "$2"' sh "$NAME" "$NUMBER" </dev/null >/dev/null 2>&1 &
