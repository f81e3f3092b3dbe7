#!/usr/bin/env bash
# No process of this exercise runs, and the node has its own name.
set -euo pipefail
pkill -KILL -xf "sleep $NUMBER" || true
hostname "$PODIUM_NODE"
