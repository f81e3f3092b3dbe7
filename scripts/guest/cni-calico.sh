#!/bin/bash
# cni-calico.sh: the pod network: Calico, by VXLAN between the private cards, and network policies. It is installed by its
# manifest without the operator, which brings three images instead of ten, and without BGP.
#
# Takes:  PODIUM_NODE, PODIUM_NETWORK (the lab's: Calico uses the card that has an address in it), PODIUM_POD_SUBNET,
#         PODIUM_CALICO_VERSION; optional: PODIUM_MIRROR_GITHUB (instead of https://github.com), the proxy's
# Gives:  calico_version
# Alone:  sudo PODIUM_NODE=cp PODIUM_NETWORK=192.168.56.0/24 PODIUM_POD_SUBNET=10.244.0.0/16 \
#           PODIUM_CALICO_VERSION=3.32.3 bash cni-calico.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/addon.sh"
. "$(dirname "$0")/lib/cni.sh"

own_cni calico
original=$keep/calico.original.yaml
manifest=$keep/calico.yaml
repository_file projectcalico/calico "v$PODIUM_CALICO_VERSION" manifests/calico-vxlan.yaml "$original"

# By itself Calico takes the first card: the NAT card, whose address is the same on every node. And it would hand out
# addresses of 192.168.0.0/16 where it cannot read kubeadm's configuration. Between nodes of one network it would leave
# VXLAN out, which networks that look at addresses (clouds, some hypervisors) do not let through.
sed -E \
  -e "s#^( *)  value: \"autodetect\"\$#&\n\1- name: IP_AUTODETECTION_METHOD\n\1  value: \"cidr=$PODIUM_NETWORK\"\n\1- name: CALICO_IPV4POOL_CIDR\n\1  value: \"$PODIUM_POD_SUBNET\"#" \
  -e '/name: CALICO_IPV4POOL_VXLAN$/,/value:/ s#value: ".*"#value: "Always"#' "$original" | write_file 0644 "$manifest"
for setting in "\"cidr=$PODIUM_NETWORK\"" "\"$PODIUM_POD_SUBNET\"" '"Always"' 'calico_backend: "vxlan"'; do
  grep -q -F -e "$setting" "$manifest" ||
    die "the manifest of Calico $PODIUM_CALICO_VERSION is not what podium expects: $setting cannot be set in it" "see $original on the control plane"
done
kubectl apply --filename "$manifest"
fact calico_version "$PODIUM_CALICO_VERSION"
