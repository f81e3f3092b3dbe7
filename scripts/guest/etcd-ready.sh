#!/bin/bash
# etcd-ready.sh: says where the members of etcd are; its probe waits until all of them are healthy.
#
# Takes:  PODIUM_ETCD_MEMBERS (lines "name address")
# Gives:  etcd_endpoints
# Alone:  sudo PODIUM_ETCD_MEMBERS='etcd1 192.168.56.10' bash etcd-ready.sh
. "$(dirname "$0")/lib/step.sh"

endpoints=
while read -r _ address; do
  endpoints+=${endpoints:+,}https://$address:2379
done <<<"$PODIUM_ETCD_MEMBERS"
fact etcd_endpoints "$endpoints"
