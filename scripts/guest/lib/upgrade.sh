# shellcheck shell=bash
# shellcheck disable=SC2154 # variables are set in one file of lib/ and read in another
# upgrade.sh: what the upgrade of a control plane and of a worker share, after
# https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/ (read 2026-11-21). Needs step.sh,
# download.sh, apt.sh, kubeadm.sh.

# The version that kubeadm of this node brings it to, such as 1.36.2. kube-packages.sh has installed that kubeadm.
target=$(kubeadm version --output short)
target=${target#v}
[[ $target. == "$PODIUM_KUBERNETES_VERSION."* ]] ||
  die "kubeadm of $PODIUM_NODE is $target, not $PODIUM_KUBERNETES_VERSION" "run podium up --force $PODIUM_NODE/kube-packages"

# Is there while kubeadm upgrade is under way: what is found with it was cut off.
begun=$keep/kube-upgrade

# has_target: whether what kubeadm changes on this node has the version already: the static pods, or what the kubelet is
# started with.
has_target() {
  local manifest=/etc/kubernetes/manifests/kube-apiserver.yaml
  if [[ -f $manifest ]]; then
    grep -q "image: .*:v$target\$" "$manifest"
  else
    [[ $(member_version) == "$target" ]]
  fi
}

# upgrade_by_kubeadm ARGUMENT...: kubeadm upgrade, unless it has come to its end already.
upgrade_by_kubeadm() {
  local options=()
  if [[ ! -e $begun ]] && has_target; then
    return
  fi
  if in_container; then
    options+=(--ignore-preflight-errors SystemVerification)
  fi
  : >"$begun"
  kubeadm upgrade "$@" "${options[@]}" ||
    retry_later "kubeadm upgrade $1 fails on $PODIUM_NODE" "see the lines above; what it has changed it has put back"
  rm -f "$begun"
}

# upgrade_kubelet: the packages, which kube-packages.sh has fetched, and the kubelet again.
upgrade_kubelet() {
  apt_install "kubelet=$target-*" "kubectl=$target-*"
  apt_hold kubelet kubectl
  service_changes
  run_service kubelet.service
}

# node_is_upgraded: whether the cluster sees this node Ready, with the new kubelet.
node_is_upgraded() {
  [[ $(kubectl get node "$PODIUM_NODE" --output 'jsonpath={.status.nodeInfo.kubeletVersion} {.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null) == "v$target True" ]]
}

await_node() {
  wait_until 240 node_is_upgraded ||
    retry_later "$PODIUM_NODE is not Ready with Kubernetes $target" "see there: journalctl -u kubelet"
}
