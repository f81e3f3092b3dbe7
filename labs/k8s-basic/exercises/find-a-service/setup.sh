#!/usr/bin/env bash
# Three pods that have no Service.
set -euo pipefail
kubectl create namespace market --dry-run=client -o yaml | kubectl apply -f -
kubectl -n market delete deployments,services,pods --all --wait --timeout=2m
kubectl -n market create deployment shop --image=nginx:1.28 --replicas=3
kubectl -n market rollout status deployment/shop --timeout=3m
