# shellcheck shell=bash
# kubelets.sh: the kubelets' certificates, for those that ask kubelets for something. Takes PODIUM_KUBELETS (nodes, by
# spaces) and of each node PODIUM_KUBELET_CA_NODE (base64), which input-kubelet.sh makes there.

# kubelet_authorities: prints what vouches for the kubelets' certificates: each has made an authority of its own.
kubelet_authorities() {
  local node name
  for node in $PODIUM_KUBELETS; do
    name=PODIUM_KUBELET_CA_${node//-/_}
    name=${name^^}
    base64 --decode <<<"${!name}"
  done
}
