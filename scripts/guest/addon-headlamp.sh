#!/bin/bash
# addon-headlamp.sh: Headlamp, a web page of the cluster, at a port of every node; and an account that may do everything
# in the cluster, with a token to log in by.
#
# Takes:  PODIUM_ADDRESS, PODIUM_HEADLAMP_PORT; the file /var/lib/podium/files/headlamp.yaml
# Gives:  headlamp_url, secret_headlamp_password (the token)
# Alone:  sudo PODIUM_ADDRESS=192.168.56.10 PODIUM_HEADLAMP_PORT=30466 bash addon-headlamp.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/addon.sh"

kubectl apply --filename /var/lib/podium/files/headlamp.yaml

# One token for a year, made once for each account: it would be another one each time.
account=$(kubectl --namespace headlamp get serviceaccount headlamp-admin --output 'jsonpath={.metadata.uid}')
file=$keep/secrets/headlamp-$account
if [[ ! -s $file ]]; then
  token=$(kubectl --namespace headlamp create token headlamp-admin --duration 8760h)
  (umask 077 && mkdir -p "$keep/secrets" && rm -f "$keep"/secrets/headlamp-* && printf '%s\n' "$token" >"$file.new")
  mv "$file.new" "$file"
fi
rolled_out headlamp deployment/headlamp
fact headlamp_url "http://$PODIUM_ADDRESS:$PODIUM_HEADLAMP_PORT"
fact secret_headlamp_password "$(cat "$file")"
