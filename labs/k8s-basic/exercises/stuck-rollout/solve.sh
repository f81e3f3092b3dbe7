#!/usr/bin/env bash
set -euo pipefail
kubectl -n rollout set image deployment/web nginx=nginx:1.28
kubectl -n rollout rollout status deployment/web --timeout=3m
