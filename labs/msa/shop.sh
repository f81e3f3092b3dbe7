#!/bin/bash
# shop.sh: puts the shop into the cluster, on the node where kubectl may do so, and waits until all of it runs.
#
# Takes:  PODIUM_ADDRESS, PODIUM_FILES (where the folders shop and mesh lie), SHOP (which of them)
# Gives:  shop_url
# Alone:  sudo PODIUM_ADDRESS=192.168.56.10 PODIUM_FILES=. SHOP=shop PODIUM_FACTS=/dev/stdout bash shop.sh
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

kubectl apply --kustomize "$PODIUM_FILES/$SHOP"
for deployment in $(kubectl --namespace shop get deployments --output name); do
  kubectl --namespace shop rollout status "$deployment" --timeout 300s || {
    echo "$deployment does not run yet. Why: kubectl --namespace shop describe pods" >&2
    echo "images that cannot be pulled: a mirror is set under mirrors: in lab.yaml" >&2
    exit 75 # podium tries again, a few times
  }
done
echo "shop_url=http://$PODIUM_ADDRESS:30080" >>"$PODIUM_FACTS"
