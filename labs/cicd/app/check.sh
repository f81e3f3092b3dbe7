#!/bin/bash
# check.sh NUMBER: asks the cluster's nodes for the page: is it that build's? The pipeline's stage "check".
set -euo pipefail
number=$1

for node in $(getent hosts kube-api | cut -d ' ' -f 1); do
  for try in {1..20}; do
    page=$(curl --fail --silent --max-time 5 "http://$node:30081/") && grep -q "Build $number<" <<<"$page" && break
    echo "not yet (try $try)"
    sleep 1
  done
  grep "Build $number<" <<<"$page"
done
