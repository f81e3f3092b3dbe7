#!/bin/bash
# addon-ingress-nginx.sh: ingress-nginx, for lessons about clusters as they were. The project ended in March 2026: there
# are no more fixes, not even for security. What is new is made with the add-on gateway.
#
# Takes:  PODIUM_INGRESS_NGINX_VERSION, PODIUM_INGRESS_SERVICE (cloud: an address from a load balancer; baremetal: a port
#         of every node); optional: PODIUM_MIRROR_GITHUB (instead of https://github.com), the proxy's
# Gives:  ingress_nginx_version
# Alone:  sudo PODIUM_INGRESS_NGINX_VERSION=1.15.1 PODIUM_INGRESS_SERVICE=baremetal bash addon-ingress-nginx.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/addon.sh"

manifest=$keep/ingress-nginx.yaml
repository_file kubernetes/ingress-nginx "controller-v$PODIUM_INGRESS_NGINX_VERSION" \
  "deploy/static/provider/$PODIUM_INGRESS_SERVICE/deploy.yaml" "$manifest"
say "ingress-nginx was retired in March 2026: use it for lessons about the past, never for anything that lasts"

# The jobs in it, which make the webhook's certificate, would run again each time. So only what differs is applied.
applied=$keep/ingress-nginx.applied
sum=$(sha256sum <"$manifest")
controller() { kubectl --namespace ingress-nginx get deployment ingress-nginx-controller >/dev/null 2>&1; }
if ! has_text "$applied" "$sum" || ! controller; then
  kubectl apply --filename "$manifest"
fi
rolled_out ingress-nginx deployment/ingress-nginx-controller
write_file 0644 "$applied" <<<"$sum"
fact ingress_nginx_version "$PODIUM_INGRESS_NGINX_VERSION"
