#!/bin/bash
# deploy.sh NUMBER: has the cluster run that build. The pipeline's stage "deploy". kubectl finds in ~/.kube/config who
# Jenkins is, and in which namespace.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=/dev/null
. /etc/podium/delivery.env # REGISTRY, NAMESPACE

sed "s#@IMAGE@#$REGISTRY/hello:$1#" deployment.yaml | kubectl apply --filename -
kubectl rollout status deployment/hello --timeout=120s
