#!/usr/bin/env bash
# Version 1 runs; the image of version 2 has a typing error.
set -euo pipefail
kubectl create namespace rollout --dry-run=client -o yaml | kubectl apply -f -
kubectl -n rollout delete deployments,pods --all --wait --timeout=2m
kubectl -n rollout create deployment web --image=nginx:1.27 --replicas=3
kubectl -n rollout rollout status deployment/web --timeout=3m
kubectl -n rollout set image deployment/web nginx=ngnix:1.28
