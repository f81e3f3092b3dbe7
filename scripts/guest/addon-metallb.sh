#!/bin/bash
# addon-metallb.sh: MetalLB, which gives Services of type LoadBalancer an address of the lab's network, announced by ARP.
#
# Takes:  PODIUM_METALLB_VERSION, PODIUM_METALLB_POOL (the addresses, for the summary), PODIUM_METALLB_ALONE (control
#         planes that have to announce addresses, by spaces; empty where there are workers); the file
#         /var/lib/podium/files/metallb-pool.yaml; optional: PODIUM_MIRROR_GITHUB (instead of https://github.com), the
#         proxy's
# Gives:  metallb_version, metallb_pool
# Alone:  sudo PODIUM_METALLB_VERSION=0.16.2 PODIUM_METALLB_POOL=192.168.56.240-192.168.56.250 PODIUM_METALLB_ALONE= \
#           bash addon-metallb.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/addon.sh"

manifest=$keep/metallb.yaml
repository_file metallb/metallb "v$PODIUM_METALLB_VERSION" config/manifests/metallb-native.yaml "$manifest"
kubectl apply --filename "$manifest"

# kubeadm keeps load balancers away from control planes. Where no other node takes pods, nobody would announce anything:
# https://kubernetes.io/docs/reference/labels-annotations-taints/#node-kubernetes-io-exclude-from-external-load-balancers
for node in $PODIUM_METALLB_ALONE; do
  kubectl label node "$node" node.kubernetes.io/exclude-from-external-load-balancers-
done
rolled_out metallb-system deployment/controller
rolled_out metallb-system daemonset/speaker

# The controller makes the certificate of its webhook, and the API server needs a moment to know it.
configure() { kubectl apply --filename /var/lib/podium/files/metallb-pool.yaml 2>"$keep/run/metallb.error"; }
wait_until 120 configure || {
  cat "$keep/run/metallb.error" >&2
  retry_later "MetalLB does not take its pool of addresses" "see on the control plane: kubectl --namespace metallb-system logs deployment/controller"
}
rm -f "$keep/run/metallb.error"
fact metallb_version "$PODIUM_METALLB_VERSION"
fact metallb_pool "$PODIUM_METALLB_POOL"
