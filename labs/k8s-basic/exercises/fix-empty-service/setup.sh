#!/usr/bin/env bash
# Three healthy pods, and a Service whose selector fits none of them.
set -euo pipefail
kubectl create namespace empty-service --dry-run=client -o yaml | kubectl apply -f -
kubectl -n empty-service delete deployments,services,pods --all --wait --timeout=2m
kubectl -n empty-service apply -f - <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      containers: [{name: nginx, image: "nginx:1.28", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web, tier: frontend}
  ports: [{port: 80}]
YAML
kubectl -n empty-service rollout status deployment/web --timeout=3m
