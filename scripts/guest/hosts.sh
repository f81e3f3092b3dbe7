#!/bin/bash
# hosts.sh: the node's own name, and the names and addresses of all nodes in /etc/hosts.
#
# Takes:  PODIUM_NODE, PODIUM_HOSTS (lines "address name [alias...]")
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=w1 PODIUM_HOSTS='192.168.56.11 w1' bash hosts.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/hosts.sh"

write_file 0644 /etc/hostname <<<"$PODIUM_NODE"
if [[ $(hostname) != "$PODIUM_NODE" ]]; then
  say "the node is called $PODIUM_NODE from now on"
  hostname "$PODIUM_NODE"
fi

# cloud-init would rewrite both files at the next boot.
if [[ -d /etc/cloud/cloud.cfg.d ]]; then
  write_file 0644 /etc/cloud/cloud.cfg.d/99-podium.cfg <<'END'
preserve_hostname: true
manage_etc_hosts: false
END
fi

[[ -e /etc/hosts ]] || printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >/etc/hosts
hosts=$(hosts_text)
write_file 0644 /etc/hosts <<<"$hosts"
