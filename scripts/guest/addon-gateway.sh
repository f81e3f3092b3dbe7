#!/bin/bash
# addon-gateway.sh: the Gateway API and NGINX Gateway Fabric, which serves it: a Gateway of the class "nginx" gets an
# nginx of its own, behind an address of MetalLB's or a port of every node.
#
# Takes:  PODIUM_GATEWAY_API_VERSION, PODIUM_NGINX_GATEWAY_VERSION, PODIUM_GATEWAY_SERVICE (default: an address from
#         a load balancer; nodeport: a port of every node); optional: PODIUM_MIRROR_GITHUB (instead of
#         https://github.com), the proxy's
# Gives:  gateway_api_version, gateway_class
# Alone:  sudo PODIUM_GATEWAY_API_VERSION=1.5.1 PODIUM_NGINX_GATEWAY_VERSION=2.6.7 PODIUM_GATEWAY_SERVICE=nodeport \
#           bash addon-gateway.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/addon.sh"

# apply_server_side FILE: for definitions too large for the annotation by which kubectl remembers what it applied.
apply_server_side() { kubectl apply --server-side --force-conflicts --filename "$1"; }

tag=v$PODIUM_NGINX_GATEWAY_VERSION
release_file kubernetes-sigs/gateway-api "v$PODIUM_GATEWAY_API_VERSION" standard-install.yaml "$keep/gateway-api.yaml"
repository_file nginx/nginx-gateway-fabric "$tag" deploy/crds.yaml "$keep/nginx-gateway-crds.yaml"
repository_file nginx/nginx-gateway-fabric "$tag" "deploy/$PODIUM_GATEWAY_SERVICE/deploy.yaml" "$keep/nginx-gateway.yaml"
apply_server_side "$keep/gateway-api.yaml"
apply_server_side "$keep/nginx-gateway-crds.yaml"
kubectl wait --for condition=Established --timeout 60s crd/gatewayclasses.gateway.networking.k8s.io crd/nginxproxies.gateway.nginx.org ||
  retry_later "the API server does not take the kinds of the Gateway API" "see on the control plane: kubectl describe crd gatewayclasses.gateway.networking.k8s.io"

# The job in it, which makes certificates and is then gone, would run again each time. So only what differs is applied.
applied=$keep/nginx-gateway.applied
sum=$(sha256sum <"$keep/nginx-gateway.yaml")
image=$(grep -o -E -m 1 'image: \S*nginx-gateway-fabric:\S+' "$keep/nginx-gateway.yaml") ||
  die "the manifest of NGINX Gateway Fabric $PODIUM_NGINX_GATEWAY_VERSION is not what podium expects: it names no image" "see $keep/nginx-gateway.yaml on the control plane"
if ! has_text "$applied" "$sum" || ! has_workload nginx-gateway deployment/nginx-gateway "${image#image: }"; then
  kubectl apply --filename "$keep/nginx-gateway.yaml"
fi
rolled_out nginx-gateway deployment/nginx-gateway
write_file 0644 "$applied" <<<"$sum"
fact gateway_api_version "$PODIUM_GATEWAY_API_VERSION"
fact gateway_class nginx
