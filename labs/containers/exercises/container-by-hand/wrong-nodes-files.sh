#!/usr/bin/env bash
# All namespaces, but it sees each file of the node.
set -euo pipefail
setsid unshare --fork --pid --mount-proc --uts sh -c "hostname $NAME; exec sleep $NUMBER" </dev/null >/dev/null 2>&1 &
