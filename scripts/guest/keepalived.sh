#!/bin/bash
# keepalived.sh: the virtual address of the API: this control plane has it when the others do not, by VRRP.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_VIRTUAL_ADDRESS, PODIUM_VRRP_ROUTER (1 to 255, the same on all control
#         planes), PODIUM_VRRP_PRIORITY (1 to 254: the highest of those that reach the API has the address),
#         PODIUM_VRRP_PEERS (the other control planes: lines "name address", or empty); the file check-api in
#         /var/lib/podium/files; optional: the proxy's
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=cp1 PODIUM_ADDRESS=192.168.56.10 PODIUM_VIRTUAL_ADDRESS=192.168.56.9 PODIUM_VRRP_ROUTER=9 \
#           PODIUM_VRRP_PRIORITY=150 PODIUM_VRRP_PEERS='cp2 192.168.56.11' bash keepalived.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"

# The card is known by its address alone: what the kernel calls it differs from box to box.
card=$(ip -o -4 address show to "$PODIUM_ADDRESS")
read -r _ card _ <<<"$card"
[[ -n $card ]] || die "$PODIUM_NODE has no card with the address $PODIUM_ADDRESS" "see there: ip address"

# unicast_peers: the other control planes, if there are any.
unicast_peers() {
  local name address
  [[ -n $PODIUM_VRRP_PEERS ]] || return 0
  printf '    unicast_peer {\n'
  while read -r name address; do
    printf '        %s        # %s\n' "$address" "$name"
  done <<<"$PODIUM_VRRP_PEERS"
  printf '    }\n    check_unicast_src\n'
}

# Before the package, which starts the service at once.
write_config 0644 /etc/keepalived/keepalived.conf <<END
# By podium: the virtual address of the API is on one control plane at a time, decided by VRRP. See who has it:
#     ip address show to $PODIUM_VIRTUAL_ADDRESS; journalctl -u keepalived
# After https://github.com/kubernetes/kubeadm/blob/main/docs/ha-considerations.md, and keepalived.conf(5).
#
# The nodes speak to each other alone (unicast): not every lab's network carries multicast. There is no password: VRRP
# version 3 has none any more (RFC 5798, section 9), and one on the wire in plain text protected nothing; packets of
# others than the peers are not taken.
global_defs {
    router_id $PODIUM_NODE
    vrrp_version 3
    enable_script_security
    script_user nobody nogroup
}

vrrp_script check-api {
    script "/etc/keepalived/check-api"
    interval 1
    timeout 3
    fall 3                  # three seconds: a busy laptop is late now and then
    rise 1
    weight -60              # more than lies between any two nodes: who cannot reach the API comes last
    init_fail
}

vrrp_instance kube-api {
    state BACKUP            # the priority decides
    interface $card        # the card with $PODIUM_ADDRESS
    virtual_router_id $PODIUM_VRRP_ROUTER
    priority $PODIUM_VRRP_PRIORITY
    advert_int 0.5          # silent for 3 x 0.5 s: another takes over
    unicast_src_ip $PODIUM_ADDRESS
$(unicast_peers)
    virtual_ipaddress {
        $PODIUM_VIRTUAL_ADDRESS/32
    }
    track_script {
        check-api
    }
}
END
write_config 0755 /etc/keepalived/check-api </var/lib/podium/files/check-api
apt_install_service keepalived
# Its exit code says nothing: that of Debian 12 ends itself by a signal, whatever the file holds.
said=$(keepalived --config-test 2>&1) || true
[[ $said != *"Line "* ]] ||
  die "keepalived does not take /etc/keepalived/keepalived.conf: $said" "podium wrote it: please report this"
run_service keepalived.service
