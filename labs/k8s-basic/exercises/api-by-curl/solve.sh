#!/usr/bin/env bash
set -euo pipefail
kubectl -n by-curl delete configmap paint --ignore-not-found
kubectl proxy --port=8009 &
trap 'kill $!' EXIT
curl -sSf --retry 20 --retry-connrefused --retry-delay 1 -o /dev/null http://localhost:8009/version
curl -sSf -o /dev/null -H 'Content-Type: application/json' http://localhost:8009/api/v1/namespaces/by-curl/configmaps --data "
  {\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"paint\"}, \"data\": {\"color\": \"$COLOR\"}}"
