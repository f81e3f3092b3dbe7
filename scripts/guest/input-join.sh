#!/bin/bash
# input-join.sh: runs on the first control plane just before a node joins: a token for that node alone.
#
# Takes:  PODIUM_JOINING (the node that will join)
# Gives:  PODIUM_JOIN_TOKEN, PODIUM_JOIN_CA_HASH
. "$(dirname "$0")/lib/step.sh"

fact PODIUM_JOIN_TOKEN "$(kubeadm token create --ttl 15m --description "podium: $PODIUM_JOINING")"
fact PODIUM_JOIN_CA_HASH "sha256:$(openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform DER | sha256sum | cut -d ' ' -f 1)"
