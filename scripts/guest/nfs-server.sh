#!/bin/bash
# nfs-server.sh: an NFS server whose folder the cluster makes its volumes in.
#
# Takes:  PODIUM_NODE, PODIUM_NETWORK (who may mount), PODIUM_NFS_FOLDER; the proxy's
# Gives:  nfs_export
# Alone:  sudo PODIUM_NODE=nfs PODIUM_NETWORK=192.168.56.0/24 PODIUM_NFS_FOLDER=/srv/nfs/kubernetes bash nfs-server.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"

# The server is part of the kernel. A system container has its host's, and cannot load a module into it.
serves_nfs() { modprobe nfsd 2>/dev/null || grep -q -w nfsd /proc/filesystems; }

mkdir -p "$PODIUM_NFS_FOLDER"
chmod 0777 "$PODIUM_NFS_FOLDER"
# Root of the nodes stays root: the driver makes a folder for each volume and hands it over.
write_config 0644 /etc/exports.d/podium.exports <<END
$PODIUM_NFS_FOLDER $PODIUM_NETWORK(rw,sync,no_subtree_check,no_root_squash)
END
apt_install nfs-kernel-server
serves_nfs || die "the kernel of $PODIUM_NODE has no NFS server (nfsd)" "a system container needs it loaded on its host: modprobe nfsd; or write incus: {instance: vm}"
run_service nfs-server.service
exportfs -ra
fact nfs_export "$PODIUM_NODE:$PODIUM_NFS_FOLDER"
