#!/usr/bin/env bash
# Replaced as well, but what was to be examined is gone.
set -euo pipefail
kubectl -n aside delete "$(kubectl -n aside get pods -l app=web -o name | head -n 1)"
