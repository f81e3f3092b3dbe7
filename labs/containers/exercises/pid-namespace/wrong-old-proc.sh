#!/usr/bin/env bash
# Numbers of its own, but ps inside would still show the node's processes.
set -euo pipefail
setsid unshare --fork --pid sleep "$NUMBER" </dev/null >/dev/null 2>&1 &
