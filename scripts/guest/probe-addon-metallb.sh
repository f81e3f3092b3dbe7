#!/bin/bash
# probe-addon-metallb.sh: does MetalLB's webhook accept the pool, and does a speaker announce on every node it has to?
# Checks once.
#
# Takes:  PODIUM_METALLB_POOL; the file /var/lib/podium/files/metallb-pool.yaml
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

said=$(kubectl apply --dry-run=server --filename /var/lib/podium/files/metallb-pool.yaml 2>&1) ||
  die "MetalLB's webhook does not answer: ${said##*$'\n'}" "see on the control plane: kubectl --namespace metallb-system get pods"
pool=$(kubectl --namespace metallb-system get ipaddresspools.metallb.io podium --output 'jsonpath={.spec.addresses[0]}')
[[ $pool == "$PODIUM_METALLB_POOL" ]] || die "MetalLB's pool is $pool instead of $PODIUM_METALLB_POOL"
speakers=$(kubectl --namespace metallb-system get daemonset speaker --output 'jsonpath={.status.numberReady} {.status.desiredNumberScheduled}')
read -r ready wanted <<<"$speakers"
[[ -n $ready && $ready == "$wanted" ]] || die "MetalLB's speaker runs on $ready of $wanted nodes" "see on the control plane: kubectl --namespace metallb-system get pods -o wide"
