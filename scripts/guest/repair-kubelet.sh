#!/bin/bash
# repair-kubelet.sh: the kubelet of a worker: whether the cluster would still know it by its certificate, and its
# serving certificate.
#
# Takes:  PODIUM_REPAIR (plan or fix)
# Gives:  kubelet_credentials (good, or expired: the worker has to join again), finding_N: what is wrong -> what is done
# Alone:  sudo PODIUM_REPAIR=plan bash repair-kubelet.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/repair.sh"
. "$(dirname "$0")/lib/certificates.sh"
trap 'rm -f "$extracted"' EXIT

conf=/etc/kubernetes/kubelet.conf
if [[ ! -f $conf && ! -e $keep/kube-member ]]; then
  fact kubelet_credentials good # no worker yet
  exit 0
fi
# The kubelet renews its certificate itself as long as it is good.
mkdir -p "$keep/run"
if [[ -f $conf ]]; then
  certificate_of "$conf" "$extracted"
fi
if [[ -f $conf ]] && openssl x509 -in "$extracted" -noout -checkend 60 >/dev/null 2>&1; then
  fact kubelet_credentials good
  if ! systemctl is-active --quiet kubelet.service && wrong "the kubelet does not run" "start it"; then
    systemctl restart kubelet.service
  fi
  repair_serving_certificate
else
  fact kubelet_credentials expired
  when="is missing"
  [[ ! -f $conf ]] || when=$(until_when "$extracted")
  wrong "the kubelet's certificate $when" "join again with a new token" || true
  repair_serving_certificate
fi
