#!/bin/bash
# keepalived.sh: the virtual address of the API: this control plane has it when the others do not, by VRRP.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS; the files keepalived.conf and check-api in /var/lib/podium/files; optional: the proxy's
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=cp1 PODIUM_ADDRESS=192.168.56.10 bash keepalived.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"

# The card is known by its address alone: what the kernel calls it differs from box to box.
card=$(ip -o -4 address show to "$PODIUM_ADDRESS")
read -r _ card _ <<<"$card"
[[ -n $card ]] || die "$PODIUM_NODE has no card with the address $PODIUM_ADDRESS" "see there: ip address"
config=$(</var/lib/podium/files/keepalived.conf)

# Before the package, which starts the service at once.
write_config 0644 /etc/keepalived/keepalived.conf <<<"${config//@CARD@/$card}"
write_config 0755 /etc/keepalived/check-api </var/lib/podium/files/check-api
apt_install_service keepalived
# Its exit code says nothing: that of Debian 12 ends itself by a signal, whatever the file holds.
said=$(keepalived --config-test 2>&1) || true
[[ $said != *"Line "* ]] ||
  die "keepalived does not take /etc/keepalived/keepalived.conf: $said" "podium wrote it: please report this"
run_service keepalived.service
