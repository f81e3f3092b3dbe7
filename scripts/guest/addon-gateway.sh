#!/bin/bash
# addon-gateway.sh: the Gateway API and NGINX Gateway Fabric, which serves it: a Gateway of the class "nginx" gets an
# nginx of its own, behind an address of MetalLB's or a port of every node.
#
# Takes:  PODIUM_GATEWAY_API_VERSION, PODIUM_NGINX_GATEWAY_VERSION, PODIUM_GATEWAY_SERVICE (default: an address from
#         a load balancer; nodeport: a port of every node), PODIUM_GATEWAY_CLASS (nginx, for the probe); optional:
#         PODIUM_MIRROR_GITHUB (instead of https://github.com), the proxy's
# Gives:  gateway_api_version, gateway_class
# Alone:  sudo PODIUM_GATEWAY_API_VERSION=1.5.1 PODIUM_NGINX_GATEWAY_VERSION=2.6.7 PODIUM_GATEWAY_SERVICE=nodeport PODIUM_GATEWAY_CLASS=nginx \
#           bash addon-gateway.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/addon.sh"

tag=v$PODIUM_NGINX_GATEWAY_VERSION
repository_file nginx/nginx-gateway-fabric "$tag" deploy/crds.yaml "$keep/nginx-gateway-crds.yaml"
repository_file nginx/nginx-gateway-fabric "$tag" "deploy/$PODIUM_GATEWAY_SERVICE/deploy.yaml" "$keep/nginx-gateway.yaml"
gateway_api "$PODIUM_GATEWAY_API_VERSION"
apply_server_side "$keep/nginx-gateway-crds.yaml"
established nginxproxies.gateway.nginx.org

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
fact gateway_class "$PODIUM_GATEWAY_CLASS"
