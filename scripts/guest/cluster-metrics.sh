#!/bin/bash
# cluster-metrics.sh: kube-state-metrics in the cluster, and a service account by which Prometheus may ask the cluster's
# parts for measurements, and nothing else.
#
# Takes:  the file /var/lib/podium/files/cluster-metrics.yaml
# Gives:  nothing
# Alone:  sudo bash cluster-metrics.sh
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

kubectl apply --filename "$keep/files/cluster-metrics.yaml"
