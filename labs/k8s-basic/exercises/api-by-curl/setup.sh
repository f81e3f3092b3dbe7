#!/usr/bin/env bash
# A namespace without the ConfigMap.
set -euo pipefail
kubectl create namespace by-curl --dry-run=client -o yaml | kubectl apply -f -
kubectl -n by-curl delete configmap paint --ignore-not-found
