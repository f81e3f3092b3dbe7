#!/bin/bash
# kernel.sh: the system as Kubernetes needs it, now and after a reboot: swap off, modules loaded, forwarding on, pods
# that do not hold up a halt.
#
# Takes:  PODIUM_NODE; optional: PODIUM_CGROUP (2: the kubelet of that Kubernetes does not start with cgroup v1 by itself),
#         PODIUM_KERNEL_LEAST (5.10: the pod network does not run on an older kernel)
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=w1 PODIUM_CGROUP=2 bash kernel.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/swap.sh"

# need_module NAME PATH: PATH is there once the module is loaded, or when the kernel has it built in.
need_module() {
  [[ ! -e $2 ]] || return 0
  if in_container; then
    die "the kernel of this container's host has not loaded $1" "load it on the host: sudo modprobe $1"
  fi
  modprobe "$1" || die "the kernel of $PODIUM_NODE ($(uname -r)) has no module $1" "is it the kernel that the box came with? reboot the node if it was upgraded"
}

# Where cgroup v2 is the only one, its controllers stand at the top. A container has its host's, and kubeadm's
# configuration lets its kubelet start all the same (failCgroupV1: false).
if [[ ${PODIUM_CGROUP:-1} == 2 && ! -e /sys/fs/cgroup/cgroup.controllers ]]; then
  in_container ||
    die "$PODIUM_NODE runs cgroup v1, and the kubelet of that Kubernetes does not start with it" \
      "boot it with systemd.unified_cgroup_hierarchy=1, take a newer box or image, or write kubernetes.version: \"1.34\" in lab.yaml"
  say "the host of this container runs cgroup v1, which the kubelet calls unsupported: going on"
fi

kernel=$(uname -r)
if [[ -n ${PODIUM_KERNEL_LEAST:-} && $(printf '%s\n' "$PODIUM_KERNEL_LEAST" "$kernel" | sort --version-sort | head -n 1) != "$PODIUM_KERNEL_LEAST" ]]; then
  die "the kernel of $PODIUM_NODE is $kernel, and the pod network of lab.yaml needs $PODIUM_KERNEL_LEAST or later" \
    "take a newer box or image, or another kubernetes.cni in lab.yaml"
fi

end_swap

write_file 0644 /etc/modules-load.d/podium.conf <<'END'
overlay
br_netfilter
END
grep -q -w overlay /proc/filesystems || need_module overlay /sys/module/overlay
need_module br_netfilter /proc/sys/net/bridge

write_file 0644 /etc/sysctl.d/90-podium.conf <<'END'
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1
END
sysctl --quiet --load=/etc/sysctl.d/90-podium.conf
for setting in net.bridge.bridge-nf-call-iptables net.ipv4.ip_forward; do
  [[ $(sysctl --values "$setting") == 1 ]] || die "$setting is not 1 on $PODIUM_NODE" "see: sysctl $setting"
done

# A control plane whose others are halted already waits for them in vain, for systemd's minute and a half.
write_file 0644 /etc/systemd/system.conf.d/podium.conf <<'END'
[Manager]
DefaultTimeoutStopSec=15s
END
[[ $wrote == no ]] || systemctl daemon-reexec
# systemd stops all containers of a node at once. CoreDNS then goes on for five seconds so that nobody misses it, and the
# API server waits for the etcd that ended before it. What they have to write down they have written long before.
reload=no
for runtime in cri-containerd crio docker; do # as each names its scopes: RUNTIME-ID.scope
  write_file 0644 "/etc/systemd/system/$runtime-.scope.d/podium.conf" <<'END'
[Scope]
TimeoutStopSec=3s
END
  [[ $wrote == no ]] || reload=yes
done
# The slices of pods ask systemd for no default dependencies. Once kubeadm has had it reload, those of the control plane are
# stopped only when everything else has gone, and the scheduler then looks for the API server for five seconds more.
write_file 0644 /etc/systemd/system/kubepods.slice.d/podium.conf <<'END'
[Unit]
Conflicts=shutdown.target
Before=shutdown.target
END
[[ $wrote == no ]] || reload=yes
[[ $reload == no ]] || systemctl daemon-reload
