#!/bin/bash
# nfs-client.sh: what a node needs to mount NFS volumes.
#
# Takes:  the proxy's
# Gives:  nothing
# Alone:  sudo bash nfs-client.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"

apt_install nfs-common
