#!/bin/bash
# etcd-client.sh: what the API server shows to external etcd: a certificate of its own. Further control planes get it from
# this one, by kubeadm.
#
# Takes:  PODIUM_NODE; made on the first etcd node by input-etcd.sh: PODIUM_ETCD_PKI
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=cp1 PODIUM_ETCD_PKI=... bash etcd-client.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/etcd-certificates.sh"

# Not below /etc/kubernetes/pki: kubeadm reset, which undoes an attempt that was cut off, empties that.
etcd_certificates /etc/kubernetes/etcd root
service_is_fresh # the API server is not there yet, or reads them again by itself
