#!/bin/bash
# addon-nfs.sh: the driver that makes volumes on an NFS server, and a StorageClass for it, the default one: a
# PersistentVolumeClaim that names no class gets a folder there.
#
# Takes:  PODIUM_CSI_NFS_VERSION, PODIUM_NFS_SERVER (its address); the file /var/lib/podium/files/nfs-storage-class.yaml;
#         optional: PODIUM_MIRROR_GITHUB (instead of https://github.com), the proxy's
# Gives:  csi_nfs_version, storage_class
# Alone:  sudo PODIUM_CSI_NFS_VERSION=4.13.6 PODIUM_NFS_SERVER=192.168.56.13 bash addon-nfs.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/addon.sh"

# As deploy/install-driver.sh of the driver does it. The definitions of snapshots come first: a part of the driver waits
# for them.
tag=v$PODIUM_CSI_NFS_VERSION
for name in crd-csi-snapshot rbac-csi-nfs csi-nfs-driverinfo csi-nfs-controller csi-nfs-node; do
  repository_file kubernetes-csi/csi-driver-nfs "$tag" "deploy/$tag/$name.yaml" "$keep/$name.yaml"
  kubectl apply --filename "$keep/$name.yaml"
done

# Where a class makes its volumes cannot be changed. Those that it has made know their server themselves.
server=$(kubectl get storageclass nfs --ignore-not-found --output 'jsonpath={.parameters.server}')
if [[ -n $server && $server != "$PODIUM_NFS_SERVER" ]]; then
  say "the NFS server was $server: making the class again"
  kubectl delete storageclass nfs
fi
kubectl apply --filename /var/lib/podium/files/nfs-storage-class.yaml
rolled_out kube-system deployment/csi-nfs-controller
rolled_out kube-system daemonset/csi-nfs-node
fact csi_nfs_version "$PODIUM_CSI_NFS_VERSION"
fact storage_class nfs
