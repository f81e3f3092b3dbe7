#!/bin/bash
# input-etcd.sh: runs on the first etcd node just before another node needs certificates of etcd: makes them, signed by
# etcd's own authority (etcd-authority.sh), and gives them again when they are asked for again. The authority's key stays here.
#
# Takes:  PODIUM_ETCD_FOR (the node), PODIUM_ETCD_ADDRESS (of a member; empty: the node is a client)
# Gives:  PODIUM_ETCD_PKI (a tar file in base64: ca.crt and, for a member, server.crt, server.key, peer.crt, peer.key,
#         healthcheck.crt, healthcheck.key; for a client client.crt, client.key)
. "$(dirname "$0")/lib/step.sh"
umask 077
store=$keep/etcd-ca
mkdir -p "$store/issued"
# Certificates for several nodes are asked for at once.
exec 9>"$store/lock"
flock -w 60 9 || retry_later "another run is making certificates of etcd"

[[ -s $store/ca.crt ]] || retry_later "etcd's authority is not there" "see: podium logs"
days=3650 # as in etcd-authority.sh

# issue FOLDER FILE NAME USES [ALTERNATIVE-NAMES]: a key and its certificate, unless they are there.
issue() {
  local file=$1/$2 name=$3 uses=$4 others=${5:-}
  [[ ! -s $file.crt ]] || return 0
  cat >"$file.cnf" <<END
[req]
distinguished_name = name
x509_extensions = leaf
prompt = no
[name]
CN = $name
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = $uses
${others:+subjectAltName = $others}
END
  openssl req -x509 -config "$file.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$days" \
    -CA "$store/ca.crt" -CAkey "$store/ca.key" -keyout "$file.key" -out "$file.crt.new" 2>/dev/null
  mv "$file.crt.new" "$file.crt"
}

# A machine that was recreated under the same name and address gets the same ones.
folder=$store/issued/$PODIUM_ETCD_FOR-${PODIUM_ETCD_ADDRESS:-client}
mkdir -p "$folder"
if [[ -n $PODIUM_ETCD_ADDRESS ]]; then
  names="DNS:$PODIUM_ETCD_FOR, DNS:localhost, IP:127.0.0.1, IP:$PODIUM_ETCD_ADDRESS"
  issue "$folder" server "$PODIUM_ETCD_FOR" "serverAuth, clientAuth" "$names"
  issue "$folder" peer "$PODIUM_ETCD_FOR" "serverAuth, clientAuth" "$names"
  issue "$folder" healthcheck "$PODIUM_ETCD_FOR-healthcheck" clientAuth
else
  issue "$folder" client "kube-apiserver-etcd-client" clientAuth
fi
cp "$store/ca.crt" "$folder/ca.crt"
files=$(cd "$folder" && ls ./*.crt ./*.key)
# shellcheck disable=SC2086 # one argument per file
pki=$(tar --create --directory "$folder" $files | base64 --wrap 0)
fact PODIUM_ETCD_PKI "$pki"
