#!/usr/bin/env bash
# A pod that fits the selector: the Service answers, but not from the deployment.
set -euo pipefail
kubectl -n empty-service run patch --image=nginx:1.28 --labels=app=web,tier=frontend
kubectl -n empty-service wait --for=condition=Ready pod/patch --timeout=1m
