#!/usr/bin/env bash
# A namespace without pods.
set -euo pipefail
kubectl create namespace lodging --dry-run=client -o yaml | kubectl apply -f -
kubectl -n lodging delete deployments,pods --all --wait --timeout=2m
