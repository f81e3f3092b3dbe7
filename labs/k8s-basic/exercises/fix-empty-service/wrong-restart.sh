#!/usr/bin/env bash
# New pods have the same labels.
set -euo pipefail
kubectl -n empty-service rollout restart deployment/web
kubectl -n empty-service rollout status deployment/web --timeout=2m
