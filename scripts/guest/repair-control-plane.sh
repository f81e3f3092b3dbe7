#!/bin/bash
# repair-control-plane.sh: the certificates of a control plane, which are good for a year: those in /etc/kubernetes/pki,
# in the kubeconfigs of its parts, and the kubelet's. What is renewed is taken into use: the static pods are started
# again, and root's and the user's kubeconfigs follow. After
# https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/ and
# https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/troubleshooting-kubeadm/#kubelet-client-cert
# (read 2026-11-21).
#
# Takes:  PODIUM_REPAIR (plan or fix), PODIUM_NODE, PODIUM_ADDRESS, PODIUM_USER, PODIUM_CRI_SOCKET
# Gives:  finding_N, beyond_N: what is wrong -> what is done
# Alone:  sudo PODIUM_REPAIR=plan PODIUM_NODE=cp PODIUM_ADDRESS=192.168.56.10 PODIUM_USER=vagrant \
#           PODIUM_CRI_SOCKET=unix:///run/containerd/containerd.sock bash repair-control-plane.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/repair.sh"
. "$(dirname "$0")/lib/certificates.sh"
. "$(dirname "$0")/lib/kubeadm.sh"

pki=/etc/kubernetes/pki
manifests=/etc/kubernetes/manifests
aside=$keep/manifests  # where manifests lie while their pods end
stale=$keep/kube-stale # is there until the static pods have been started with what was renewed

[[ -f $pki/ca.crt && -f $pki/apiserver.crt ]] || exit 0 # no control plane yet

# kubeadm's own way to a configuration is to ask the cluster, which may not answer.
configuration() {
  cat <<END
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: $PODIUM_ADDRESS}
nodeRegistration: {name: $PODIUM_NODE, criSocket: "$PODIUM_CRI_SOCKET"}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $(kubeadm version --output short)
controlPlaneEndpoint: "$(sed -n 's,^ *server: https://,,p' /etc/kubernetes/admin.conf)"
END
}

report_authorities() {
  local file
  for file in "$pki"/ca.crt "$pki"/front-proxy-ca.crt "$pki"/etcd/ca.crt; do
    [[ ! -f $file ]] || ! expiring "$file" ||
      beyond "the authority $file $(until_when "$file")" "every certificate hangs on it: run podium destroy, then podium up"
  done
}

# The kubelet asks the API server itself for a new certificate, unless its own has expired meanwhile.
repair_kubelet() {
  local conf=/etc/kubernetes/kubelet.conf
  if [[ -f $conf ]]; then
    kubeconfig_expiring "$conf" || return 0
    wrong "the kubelet's certificate $(until_when "$extracted")" "make kubelet.conf again" || return 0
  else # a repair was cut off
    wrong "kubelet.conf is missing" "make it again" || return 0
  fi
  rm -f "$conf" /var/lib/kubelet/pki/kubelet-client-*
  kubeadm init phase kubeconfig kubelet --config "$config"
  systemctl restart kubelet.service
}

# expiring_files: the names of those that kubeadm renews.
expiring_files() {
  local file
  for file in "$pki"/*.crt "$pki"/etcd/*.crt; do
    case $file in
      */ca.crt | */front-proxy-ca.crt) ;;
      *) [[ ! -f $file ]] || ! expiring "$file" || printf '%s\n' "${file#"$pki"/}" ;;
    esac
  done
  for file in admin super-admin controller-manager scheduler; do
    [[ ! -f /etc/kubernetes/$file.conf ]] || ! kubeconfig_expiring "/etc/kubernetes/$file.conf" || printf '%s\n' "$file.conf"
  done
}

# With etcd elsewhere, its certificate for the API server comes from there.
renewable() {
  if [[ -f $pki/etcd/ca.key ]]; then
    echo all
  else
    printf '%s\n' apiserver apiserver-kubelet-client front-proxy-client admin.conf controller-manager.conf scheduler.conf
    [[ ! -f /etc/kubernetes/super-admin.conf ]] || echo super-admin.conf
  fi
}

repair_certificates() {
  local files name
  files=$(expiring_files)
  [[ -n $files ]] || return 0
  if wrong "certificates have expired or will within $days days: $(paste -s -d ' ' <<<"$files")" "renew them and restart the control plane's pods"; then
    : >"$stale"
    for name in $(renewable); do
      kubeadm certs renew "$name" --config "$config"
    done
  fi
}

control_plane_runs() { pgrep -f '^(kube-apiserver|kube-controller-manager|kube-scheduler|etcd)( |$)' >/dev/null; }
control_plane_ended() { ! control_plane_runs; }

# A static pod ends when its manifest goes, and starts when it comes back.
restart_static_pods() {
  mkdir -p "$aside"
  if [[ -n $(ls "$manifests"/*.yaml 2>/dev/null) ]]; then
    mv "$manifests"/*.yaml "$aside/"
    wait_until 60 control_plane_ended || say "some parts of the control plane have not ended yet: going on"
  fi
  mv "$aside"/*.yaml "$manifests/"
  rm -f "$stale"
}

repair_static_pods() {
  if [[ -n $(ls "$aside"/*.yaml 2>/dev/null) ]] && wrong "the control plane's pods were being restarted when that was cut off" "start them"; then
    mv "$aside"/*.yaml "$manifests/"
  fi
  if [[ $renewed == yes ]]; then
    restart_static_pods
  elif [[ -e $stale ]] && wrong "the control plane's pods run with old certificates" "restart them"; then
    restart_static_pods
  fi
}

repair_kubeconfigs() {
  local user file
  for user in root "$PODIUM_USER"; do
    file=$(getent passwd "$user" | cut -d : -f 6)/.kube/config
    if ! has_text "$file" "$(cat /etc/kubernetes/admin.conf)"; then
      [[ $renewed == yes ]] || wrong "$file is not the cluster's any more" "copy admin.conf" || continue
      give_kubeconfig "$user"
    fi
  done
}

config=$(mktemp /run/podium-repair.XXXXXX)
trap 'rm -f "$config" "$extracted"' EXIT
configuration >"$config"

renewed=no
report_authorities
repair_kubelet
systemctl is-active --quiet kubelet.service || ! wrong "the kubelet does not run" "start it" || systemctl restart kubelet.service
was=$(cat /etc/kubernetes/admin.conf)
repair_certificates
[[ $was == "$(cat /etc/kubernetes/admin.conf)" ]] || renewed=yes
[[ ! -e $stale || $found == 0 ]] || renewed=yes
repair_static_pods
repair_kubeconfigs
repair_serving_certificate
