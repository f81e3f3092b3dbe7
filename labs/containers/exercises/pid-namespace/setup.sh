#!/usr/bin/env bash
# No process of this exercise runs.
set -euo pipefail
pkill -KILL -xf "sleep $NUMBER" || true
