#!/usr/bin/env bash
set -euo pipefail
kubectl -n market apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  type: NodePort
  selector: {app: shop}
  ports: [{port: 8000, targetPort: 80, nodePort: $NODEPORT}]
YAML
