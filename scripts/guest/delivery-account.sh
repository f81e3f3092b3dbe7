#!/bin/bash
# delivery-account.sh: a service account by which Jenkins may deliver to one namespace of the cluster.
#
# Takes:  the file /var/lib/podium/files/delivery-account.yaml
# Gives:  nothing
# Alone:  sudo bash delivery-account.sh
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

kubectl apply --filename "$keep/files/delivery-account.yaml"
