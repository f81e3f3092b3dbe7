#!/usr/bin/env bash
# Three pods of a deployment, behind a Service.
set -euo pipefail
kubectl create namespace aside --dry-run=client -o yaml | kubectl apply -f -
kubectl -n aside delete deployments,services,pods --all --wait --timeout=2m
kubectl -n aside create deployment web --image=nginx:1.28 --replicas=3
kubectl -n aside expose deployment web --port=80
kubectl -n aside rollout status deployment/web --timeout=3m
