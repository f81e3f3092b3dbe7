#!/usr/bin/env bash
# One fewer serves the users.
set -euo pipefail
kubectl -n aside label "$(kubectl -n aside get pods -l app=web -o name | head -n 1)" app=suspect --overwrite
kubectl -n aside scale deployment/web --replicas=2
