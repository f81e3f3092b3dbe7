#!/bin/bash
# etcd-authority.sh: the authority that signs the certificates of etcd's members and clients. It is etcd's alone: who has a
# certificate of the Kubernetes cluster has none for etcd.
#
# Takes:  PODIUM_NODE; optional: the proxy's
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=etcd1 bash etcd-authority.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"

command -v openssl >/dev/null || apt_install openssl
umask 077
store=$keep/etcd-ca
mkdir -p "$store"
# Ten years, as kubeadm's authorities have: nothing in a lab renews them.
days=3650

if [[ ! -s $store/ca.crt ]]; then
  say "making etcd's authority"
  cat >"$store/ca.cnf" <<'END'
[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
CN = etcd-ca
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign, digitalSignature
END
  openssl req -x509 -config "$store/ca.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$days" \
    -keyout "$store/ca.key" -out "$store/ca.crt.new" 2>/dev/null
  mv "$store/ca.crt.new" "$store/ca.crt"
fi
