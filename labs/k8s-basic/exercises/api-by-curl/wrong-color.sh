#!/usr/bin/env bash
set -euo pipefail
kubectl -n by-curl create configmap paint --from-literal=color=brown
