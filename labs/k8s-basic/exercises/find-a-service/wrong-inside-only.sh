#!/usr/bin/env bash
# For the cluster's own pods.
set -euo pipefail
kubectl -n market expose deployment shop --port=8000 --target-port=80
