# shellcheck shell=bash
# etcd-snapshot.sh: before etcd 3.6 takes the place of 3.5. Needs step.sh.
#
# etcd 3.6 reads again what 3.5 has logged since its last snapshot, meets the cluster's older version there, and takes a
# snapshot on the spot (https://github.com/etcd-io/etcd/pull/13686): with all members of today, but with the voters of
# that moment. When it starts the next time, members that came later are no voters any more: one of three goes on alone,
# the others never answer again. So it is with 3.5.24 and 3.6.5, and with 3.6.16 still, in any cluster that is younger
# than a snapshot, which is every lab. A snapshot of 3.5's own after all members have come prevents it.

# snapshot_by_writing COUNT URL CURL-OPTION...: writes one key so often that every member takes a snapshot. COUNT is its
# --snapshot-count.
snapshot_by_writing() {
  local count=$1 url=$2 key
  shift 2
  key=$(printf /podium/snapshot | base64)
  say "having etcd take a snapshot before its new version comes"
  # What stands behind # stays with curl: the same request, so often.
  curl --silent --show-error --fail --fail-early --no-progress-meter --noproxy '*' --parallel --parallel-max 64 --output /dev/null "$@" \
    --data "{\"key\":\"$key\",\"value\":\"\"}" "$url/v3/kv/put#[1-$((count + 100))]" ||
    retry_later "etcd does not take what it is told, so it is not upgraded" "see: journalctl -u etcd, or sudo crictl logs of its container"
  curl --silent --show-error --fail --noproxy '*' --output /dev/null "$@" --data "{\"key\":\"$key\"}" "$url/v3/kv/deleterange" || true
}
