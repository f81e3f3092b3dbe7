# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# cni.sh: what the steps of the pod networks share. Needs step.sh.

# own_cni NAME: the lab asks for the pod network NAME. A cluster keeps the one that it has: pods that run have their
# addresses from it, and its routes and rules lie on every node.
own_cni() {
  local known file there
  for known in bridge=10-podium flannel=10-flannel calico=10-calico cilium=05-cilium; do
    there=${known%=*}
    file=/etc/cni/net.d/${known#*=}.conflist
    if [[ $there != "$1" && -e $file ]]; then
      die "the cluster of $PODIUM_NODE has the pod network $there ($file), and lab.yaml asks for kubernetes.cni: $1" \
        "write cni: $there again; for the other one recreate the lab: podium destroy, then podium up"
    fi
  done
}
