#!/bin/bash
# addon-nfs.sh: the driver that makes volumes on an NFS server, and a StorageClass for it, the default one: a
# PersistentVolumeClaim that names no class gets a folder there.
#
# Takes:  PODIUM_CSI_NFS_VERSION; the file /var/lib/podium/files/nfs-storage-class.yaml; optional: PODIUM_MIRROR_GITHUB
#         (instead of https://github.com), the proxy's
# Gives:  csi_nfs_version, storage_class
# Alone:  sudo PODIUM_CSI_NFS_VERSION=4.13.6 bash addon-nfs.sh
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
kubectl apply --filename /var/lib/podium/files/nfs-storage-class.yaml
rolled_out kube-system deployment/csi-nfs-controller
rolled_out kube-system daemonset/csi-nfs-node
fact csi_nfs_version "$PODIUM_CSI_NFS_VERSION"
fact storage_class nfs
