#!/usr/bin/env bash
set -euo pipefail
kubectl -n lodging apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: guest}
spec:
  nodeSelector: {kubernetes.io/hostname: $NODE}
  containers: [{name: nginx, image: "nginx:1.28"}]
YAML
