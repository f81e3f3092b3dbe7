#!/bin/bash
# hosts.sh: the node's own name, and the names and addresses of all nodes in /etc/hosts.
#
# Takes:  PODIUM_NODE, PODIUM_HOSTS (lines "address name [alias...]")
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=w1 PODIUM_HOSTS='192.168.56.11 w1' bash hosts.sh
. "$(dirname "$0")/lib/step.sh"

write_file 0644 /etc/hostname <<<"$PODIUM_NODE"
if [[ $(hostname) != "$PODIUM_NODE" ]]; then
  say "the node is called $PODIUM_NODE from now on"
  hostname "$PODIUM_NODE"
fi

# cloud-init would write both files anew at the next boot.
if [[ -d /etc/cloud/cloud.cfg.d ]]; then
  write_file 0644 /etc/cloud/cloud.cfg.d/99-podium.cfg <<'END'
preserve_hostname: true
manage_etc_hosts: false
END
fi

# Boxes come with "127.0.1.1 NAME": with it the node would announce itself by an address that no other can reach.
[[ -e /etc/hosts ]] || printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >/etc/hosts
kept=
ours=no
while IFS= read -r line; do
  case $line in
    '# podium: the nodes of the lab') ours=yes ;;
    '# podium: end') ours=no ;;
    127.0.[12].1[[:blank:]]*) ;;
    *) [[ $ours == yes ]] || kept+=$line$'\n' ;;
  esac
done </etc/hosts
write_file 0644 /etc/hosts <<END
$kept# podium: the nodes of the lab
$PODIUM_HOSTS
# podium: end
END
