#!/usr/bin/env bash
# An ordinary process of the node.
set -euo pipefail
setsid sleep "$NUMBER" </dev/null >/dev/null 2>&1 &
