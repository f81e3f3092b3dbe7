#!/bin/bash
# kernel.sh: the kernel modules and settings that Kubernetes needs, now and after a reboot.
#
# Takes:  nothing
# Gives:  nothing
# Alone:  sudo bash kernel.sh
. "$(dirname "$0")/lib/step.sh"

write_file 0644 /etc/modules-load.d/podium.conf <<'END'
overlay
br_netfilter
END
modprobe overlay
modprobe br_netfilter

write_file 0644 /etc/sysctl.d/90-podium.conf <<'END'
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1
END
sysctl -q -p /etc/sysctl.d/90-podium.conf
