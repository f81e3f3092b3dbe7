#!/bin/bash
# probe-etcd-ready.sh: is every member of etcd healthy? Checks once.
#
# Takes:  PODIUM_ETCD_MEMBERS (lines "name address")
. "$(dirname "$0")/lib/step.sh"

while read -r name address; do
  answer=$(curl --silent --max-time 5 --cacert /etc/etcd/pki/ca.crt --cert /etc/etcd/pki/healthcheck.crt --key /etc/etcd/pki/healthcheck.key \
    "https://$address:2379/health") || die "the etcd of $name does not answer" "see there: journalctl -u etcd"
  [[ $answer == *'"health":"true"'* ]] || die "the etcd of $name is not healthy: $answer" "see there: journalctl -u etcd"
done <<<"$PODIUM_ETCD_MEMBERS"
