#!/usr/bin/env bash
# A name for each pod's address, and none of its own.
set -euo pipefail
kubectl -n market expose deployment shop --port=8000 --target-port=80 --cluster-ip=None
