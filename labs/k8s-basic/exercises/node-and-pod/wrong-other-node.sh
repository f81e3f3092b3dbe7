#!/usr/bin/env bash
# A pod that has to be on any node but the one that was asked for.
set -euo pipefail
kubectl -n lodging apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: guest}
spec:
  tolerations: [{operator: Exists}]
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: NotIn, values: [$NODE]}]}]
  containers: [{name: nginx, image: "nginx:1.28"}]
YAML
