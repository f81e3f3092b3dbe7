#!/usr/bin/env bash
# All is well again, without the new version.
set -euo pipefail
kubectl -n rollout rollout undo deployment/web
kubectl -n rollout rollout status deployment/web --timeout=2m
