#!/bin/bash
# etcd.sh: a member of the cluster's database, on a node of its own: certificates, program, settings, service. It does not
# wait for the other members: etcd-ready.sh does, when all of them have been started.
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_ETCD_VERSION, PODIUM_ETCD_MEMBERS (lines "name address"); the files etcd and
#         etcd-bootstrap in /var/lib/podium/files; made on the first etcd node by input-etcd.sh: PODIUM_ETCD_PKI;
#         optional: PODIUM_MIRROR_GITHUB (instead of https://github.com), the proxy's
# Gives:  etcd_version
# Alone:  sudo PODIUM_NODE=etcd1 PODIUM_ADDRESS=192.168.56.10 PODIUM_ETCD_VERSION=3.6.8 \
#           PODIUM_ETCD_MEMBERS='etcd1 192.168.56.10' PODIUM_ETCD_PKI=... bash etcd.sh
#
# Always the project's own release: kubeadm takes 3.5.24 and later, and Debian 12, 13 and Ubuntu 24.04 package older ones.
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/etcd-certificates.sh"
. "$(dirname "$0")/lib/etcd-snapshot.sh"

data=/var/lib/etcd
pki=/etc/etcd/pki
export ETCDCTL_CACERT=$pki/ca.crt ETCDCTL_CERT=$pki/healthcheck.crt ETCDCTL_KEY=$pki/healthcheck.key

install_release() {
  local there archive base sum program
  there=$(/usr/local/bin/etcd --version 2>/dev/null) || true
  [[ $there != "etcd Version: $PODIUM_ETCD_VERSION"$'\n'* ]] || return 0
  archive=etcd-v$PODIUM_ETCD_VERSION-linux-$(dpkg --print-architecture)
  base=${PODIUM_MIRROR_GITHUB:-https://github.com}
  base=${base%/}/etcd-io/etcd/releases/download/v$PODIUM_ETCD_VERSION
  fetch "$base/SHA256SUMS" "$keep/run/etcd.sums"
  sum=$(grep " $archive.tar.gz\$" "$keep/run/etcd.sums") ||
    die "$base/SHA256SUMS does not name $archive.tar.gz" "does the release or the mirror have this processor's build?"
  fetch_archive "$base/$archive.tar.gz" "$keep/run/etcd.tar.gz" "${sum%% *}"
  rm -rf "$keep/run/etcd"
  mkdir -p "$keep/run/etcd"
  tar --extract --gzip --file "$keep/run/etcd.tar.gz" --directory "$keep/run/etcd" --strip-components 1
  service_changes
  for program in etcd etcdctl; do
    install -m 0755 "$keep/run/etcd/$program" "/usr/local/bin/$program.podium"
    mv -f "/usr/local/bin/$program.podium" "/usr/local/bin/$program"
  done
  rm -rf "$keep/run/etcd" "$keep/run/etcd.tar.gz"
}

# members ENDPOINT: the members as that one knows them: id, state, name, peer address, client address. None of a cluster
# that has no majority yet.
members() { etcdctl --endpoints "$1" --dial-timeout 2s --command-timeout 3s member list 2>/dev/null; }

# join_state: new, while the cluster begins; existing, when this member comes to one that is there, which is then told.
# Where etcd has been before this member, as after its machine was recreated, the member it was is taken out first.
join_state() {
  local name address list own id status name_there client
  while read -r name address; do
    [[ $name != "$PODIUM_NODE" ]] || continue
    list=$(members "https://$address:2379") || continue
    own=$(grep -F "https://$PODIUM_ADDRESS:2380" <<<"$list") || true
    IFS=, read -r id status name_there _ client _ <<<"$own"
    if [[ -n $own && -z ${client// /} && -n ${name_there// /} ]]; then
      break # one of those that begin the cluster; the others were quicker
    fi
    if [[ -n ${client// /} ]]; then
      say "taking out the member that was here before" >&2
      etcdctl --endpoints "https://$address:2379" member remove "$id" >&2
    fi
    if [[ -z $own || -n ${client// /} ]]; then
      say "adding $PODIUM_NODE to the members" >&2
      etcdctl --endpoints "https://$address:2379" member add "$PODIUM_NODE" --peer-urls "https://$PODIUM_ADDRESS:2380" >&2 ||
        retry_later "etcd takes no further member now" "see on $name: sudo -i etcdctl endpoint health --cluster"
    fi
    echo existing
    return
  done <<<"$PODIUM_ETCD_MEMBERS"
  echo new
}

# runs_new ADDRESS: whether the member there is well and has the version that this one is to have.
runs_new() {
  local ask=(curl --silent --max-time 3 --cacert "$ETCDCTL_CACERT" --cert "$ETCDCTL_CERT" --key "$ETCDCTL_KEY")
  [[ $("${ask[@]}" "https://$1:2379/version") == *"\"etcdserver\":\"$PODIUM_ETCD_VERSION\""* &&
  $("${ask[@]}" "https://$1:2379/health") == *'"health":"true"'* ]]
}

# await_turn: members with data restarts one after the other, as they are listed, so that most of them always answer.
await_turn() {
  local name address
  while read -r name address; do
    [[ $name != "$PODIUM_NODE" ]] || return 0
    runs_new "$address" || say "waiting until etcd $PODIUM_ETCD_VERSION runs on $name"
    wait_until 120 runs_new "$address" ||
      retry_later "etcd on $name is not well, or not $PODIUM_ETCD_VERSION yet, so the one on $PODIUM_NODE goes on as it is" "see on $name: journalctl -u etcd"
  done <<<"$PODIUM_ETCD_MEMBERS"
}

# prepare_members: by the first one to restart, while all are still 3.5. Its count of entries is etcd 3.5's own.
prepare_members() {
  local first options=(--cacert "$ETCDCTL_CACERT" --cert "$ETCDCTL_CERT" --key "$ETCDCTL_KEY")
  read -r first _ <<<"$PODIUM_ETCD_MEMBERS"
  [[ $first == "$PODIUM_NODE" && $PODIUM_ETCD_VERSION != 3.5.* ]] || return 0
  if [[ $(curl --silent --max-time 3 "${options[@]}" "https://$PODIUM_ADDRESS:2379/version") == *'"etcdserver":"3.5.'* ]]; then
    snapshot_by_writing 100000 "https://$PODIUM_ADDRESS:2379" "${options[@]}"
  fi
}

id etcd >/dev/null 2>&1 || useradd --system --user-group --home-dir "$data" --no-create-home --shell /usr/sbin/nologin etcd
[[ -d $data ]] || install -d -m 0700 -o etcd -g etcd "$data"
etcd_certificates "$pki" etcd
install_release

write_config 0644 /etc/etcd/etcd.env </var/lib/podium/files/etcd
# These count only when a member starts without data: no reason to restart it.
if [[ ! -d $data/member ]]; then
  state=$(join_state)
  cat /var/lib/podium/files/etcd-bootstrap - <<<"ETCD_INITIAL_CLUSTER_STATE=$state" | write_file 0644 /etc/etcd/bootstrap.env
fi

write_config 0644 /etc/systemd/system/etcd.service <<'END'
[Unit]
Description=etcd, the database of the Kubernetes cluster
Documentation=https://etcd.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
# Not notify: a member is ready only when most of them are there, and who starts it need not wait for that.
Type=simple
User=etcd
EnvironmentFile=/etc/etcd/etcd.env
EnvironmentFile=/etc/etcd/bootstrap.env
ExecStart=/usr/local/bin/etcd
Restart=always
RestartSec=2
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
END

# For people: sudo -i etcdctl endpoint status --cluster --write-out table
write_file 0644 /etc/profile.d/podium-etcd.sh <<END
export ETCDCTL_ENDPOINTS=https://$PODIUM_ADDRESS:2379
export ETCDCTL_CACERT=$ETCDCTL_CACERT ETCDCTL_CERT=$ETCDCTL_CERT ETCDCTL_KEY=$ETCDCTL_KEY
END
if [[ $changed == yes && -d $data/member ]] && systemctl is-active --quiet etcd.service; then
  await_turn
  prepare_members
fi
run_service etcd.service
fact etcd_version "$PODIUM_ETCD_VERSION"
