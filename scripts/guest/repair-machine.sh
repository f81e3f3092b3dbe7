#!/bin/bash
# repair-machine.sh: what a machine needs that was off for months: its clock, its address, its list of hosts, no swap,
# its container runtime.
#
# Takes:  PODIUM_REPAIR (plan or fix), PODIUM_NOW (seconds since 1970, of podium's computer), PODIUM_NODE,
#         PODIUM_ADDRESS, PODIUM_HOSTS (lines "address name [alias...]")
# Gives:  finding_N, beyond_N: what is wrong -> what is done
# Alone:  sudo PODIUM_REPAIR=plan PODIUM_NOW=$(date +%s) PODIUM_NODE=w1 PODIUM_ADDRESS=192.168.56.11 \
#           PODIUM_HOSTS='192.168.56.11 w1' bash repair-machine.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/repair.sh"
. "$(dirname "$0")/lib/hosts.sh"
. "$(dirname "$0")/lib/swap.sh"

# A minute is what certificates, tokens and Kerberos bear; a laptop's sleep and a snapshot leave hours and months.
repair_clock() {
  local off unit way=behind
  if in_container; then
    return # the host's clock
  fi
  off=$((PODIUM_NOW + SECONDS - $(date +%s)))
  if ((off < 0)); then
    off=$((-off)) way=ahead
  fi
  ((off > 60)) || return 0
  if wrong "the clock is $off seconds $way" "set it by podium's computer; the time server keeps it"; then
    date --set="@$((PODIUM_NOW + SECONDS))" >/dev/null
    for unit in systemd-timesyncd.service chrony.service ntpsec.service; do
      ! systemctl is-active --quiet "$unit" || systemctl restart "$unit"
    done
  fi
}

repair_address() {
  [[ -z $(ip -o -4 address show to "$PODIUM_ADDRESS") ]] || return 0
  beyond "the machine has not the address $PODIUM_ADDRESS, but $(ip -o -4 address show | sed -n 's/.* inet \([0-9.]*\).*/\1/p' | grep -v '^127\.' | paste -s -d ' ')" \
    "podium halt, then podium up, give it back; a machine that podium did not make needs it in its own configuration"
}

repair_hosts() {
  local text
  text=$(hosts_text)
  has_text /etc/hosts "$text" || ! wrong "/etc/hosts does not have the nodes of the lab as they are" "write them" ||
    write_file 0644 /etc/hosts <<<"$text"
}

# On a node of a cluster: swap, the kubelet's address, the container runtime.
repair_node() {
  local unit
  [[ -f /etc/kubernetes/kubelet.conf || -f /etc/kubernetes/bootstrap-kubelet.conf ]] || return 0
  if ! in_container && [[ -n $(swapon --show --noheadings) ]]; then
    ! wrong "swap is on again, with which the kubelet does not start" "turn it off for good" || end_swap
  fi
  if ! has_text /etc/default/kubelet "KUBELET_EXTRA_ARGS=--node-ip=$PODIUM_ADDRESS" &&
    wrong "the kubelet does not announce the address $PODIUM_ADDRESS" "write /etc/default/kubelet and restart it"; then
    write_config 0644 /etc/default/kubelet <<<"KUBELET_EXTRA_ARGS=--node-ip=$PODIUM_ADDRESS"
    service_is_fresh
    systemctl restart kubelet.service
  fi
  for unit in containerd.service docker.service cri-docker.service crio.service; do
    if ! systemctl is-enabled --quiet "$unit" 2>/dev/null || systemctl is-active --quiet "$unit"; then
      continue
    fi
    if wrong "$unit does not run" "start it"; then
      systemctl restart "$unit" || beyond "$unit does not start" "see on the node: journalctl -u $unit"
    fi
  done
}

repair_clock
repair_address
repair_hosts
repair_node
