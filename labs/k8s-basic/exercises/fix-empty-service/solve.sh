#!/usr/bin/env bash
set -euo pipefail
kubectl -n empty-service patch service web --patch '{"spec": {"selector": {"app": "web", "tier": "front"}}}'
