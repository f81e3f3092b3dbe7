#!/bin/bash
# addon-traefik.sh: the Gateway API and Traefik, which serves it: all Gateways of the class "traefik" share one Traefik,
# behind an address of MetalLB's or ports of every node.
#
# Takes:  PODIUM_GATEWAY_API_VERSION, PODIUM_GATEWAY_CLASS (traefik); the file /var/lib/podium/files/traefik.yaml;
#         optional: PODIUM_MIRROR_GITHUB (instead of https://github.com), the proxy's
# Gives:  gateway_api_version, gateway_class
# Alone:  sudo PODIUM_GATEWAY_API_VERSION=1.5.1 PODIUM_GATEWAY_CLASS=traefik bash addon-traefik.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/addon.sh"

gateway_api "$PODIUM_GATEWAY_API_VERSION"
kubectl apply --filename /var/lib/podium/files/traefik.yaml
rolled_out traefik deployment/traefik
fact gateway_api_version "$PODIUM_GATEWAY_API_VERSION"
fact gateway_class "$PODIUM_GATEWAY_CLASS"
