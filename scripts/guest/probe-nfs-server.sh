#!/bin/bash
# probe-nfs-server.sh: is the folder exported? Checks once.
#
# Takes:  PODIUM_NFS_FOLDER
. "$(dirname "$0")/lib/step.sh"

exports=$(exportfs -v) || die "exportfs says nothing" "see there: systemctl status nfs-server"
grep -q -F "$PODIUM_NFS_FOLDER" <<<"$exports" || die "$PODIUM_NFS_FOLDER is not exported" "see there: sudo exportfs -v"
