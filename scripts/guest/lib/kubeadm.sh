# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# kubeadm.sh: what kubeadm's steps share. Takes PODIUM_CRI_SOCKET (where the runtime serves). Needs step.sh.

# Written when this node's kubeadm init or join has ended well.
member=$keep/kube-member
# Written before it begins. What is found with this and without the former was cut off in the middle, and is podium's own.
attempt=$keep/kube-attempt

# kubeadm_config FILE: the lab's settings for kubeadm init, whose last document is the ClusterConfiguration, and what only
# the node knows: which Kubernetes is installed, so that kubeadm need not ask the internet, and whether the node is a
# system container, whose kernel, swap and cgroups are its host's.
kubeadm_config() {
  local version
  version=$(kubeadm version --output short)
  cat "$1" - <<END
kubernetesVersion: $version
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
END
  in_container || return 0
  cat <<'END'
failSwapOn: false
failCgroupV1: false
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack: # the kernel's settings stay as they are
  maxPerCore: 0
  tcpEstablishedTimeout: 0s
  tcpCloseWaitTimeout: 0s
END
}

# use_endpoint HOST:PORT: the node's own clients reach the API there. It changes when one control plane becomes several,
# which have an address, and a port, of their own. What a control plane asks of its own API server stays.
use_endpoint() {
  local file moved=no
  for file in /etc/kubernetes/{admin,super-admin,kubelet}.conf; do
    [[ -f $file ]] || continue
    grep -q -E "^ *server: https://${1%:*}:" "$file" || continue
    grep -q -E "^ *server: https://$1\$" "$file" || {
      say "$file: the API is at $1 now"
      sed -i -E "s#^( *server: )https://${1%:*}:.*#\1https://$1#" "$file"
      moved=yes
    }
  done
  [[ $moved == no ]] || systemctl restart kubelet.service
}

# configured KEY <FILE: the value of a key of kubeadm's configuration that stands there once.
configured() { sed -n -E "s/^ *$1: *//p"; }

# member_version: that of the kubelet, such as 1.36.2: what this node is in the cluster.
member_version() {
  local version
  version=$(kubelet --version) # "Kubernetes v1.36.2"
  printf '%s\n' "${version#* v}"
}

# begin_attempt: undoes an init or a join that was cut off, so that it can be made again. What podium has not made, it
# does not undo.
begin_attempt() {
  if [[ -e /etc/kubernetes/kubelet.conf || -e /etc/kubernetes/bootstrap-kubelet.conf || -e /etc/kubernetes/pki/ca.crt ]]; then
    [[ -e $attempt ]] ||
      die "$PODIUM_NODE holds parts of a cluster that podium has not made, in /etc/kubernetes" "if nobody needs them, run there: sudo kubeadm reset; then podium up again"
    say "undoing an attempt that was cut off"
    kubeadm reset --force --cri-socket "$PODIUM_CRI_SOCKET" ||
      die "kubeadm reset fails on $PODIUM_NODE" "see the lines above; podium reset or podium destroy begins again"
  fi
  : >"$attempt"
}

# end_attempt: from here on the node belongs to its cluster.
end_attempt() {
  [[ -e $member ]] || : >"$member"
  rm -f "$attempt"
}

# give_kubeconfig USER: puts the cluster's administration file where kubectl finds it.
give_kubeconfig() {
  local user=$1 home
  home=$(getent passwd "$user" | cut -d : -f 6)
  [[ -n $home ]] || die "$PODIUM_NODE has no account called $user" "correct user: in lab.yaml"
  [[ -d $home/.kube ]] || install -d -m 0700 -o "$user" -g "$(id --group "$user")" "$home/.kube"
  if ! has_text "$home/.kube/config" "$(cat /etc/kubernetes/admin.conf)"; then
    say "writing $home/.kube/config"
    install -m 0600 -o "$user" -g "$(id --group "$user")" /etc/kubernetes/admin.conf "$home/.kube/config"
  fi
}
