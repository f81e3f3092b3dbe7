#!/usr/bin/env bash
# A new deployment: the users wait meanwhile, and no way leads back.
set -euo pipefail
kubectl -n rollout delete deployment web
kubectl -n rollout create deployment web --image=nginx:1.28 --replicas=3
kubectl -n rollout rollout status deployment/web --timeout=2m
