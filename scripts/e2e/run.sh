#!/usr/bin/env bash
# run.sh: podium on real nodes, from end to end. Prints an assertion a line with its time, and a summary.
#
# usage: run.sh [PART...]     incus, docker, monitoring, faults, kubernetes, bridge; and what else has a part-*.sh: ha, etcd,
#                             upgrade, addons, cluster-monitoring, cicd, runtimes, msa, ten, ...; without one: the first six
#
# Needs root on Debian 12 or Ubuntu, Go, and Debian's packages; the parts are in part-*.sh. What it builds is kept in
# ${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-~/.cache}/podium-e2e}: the first run compiles Kubernetes (versions.sh) and
# containerd, which takes twelve minutes of one processor while the other parts run.
#
# What passed is noted for the record (record.sh), outside of the repository.
#
# PODIUM_E2E_KEEP=1   leave the nodes as they are when something failed; end them with PODIUM_E2E_ID=... nodes.sh down
# PODIUM_E2E_KILLS    how often the faults make a lab whose podium is killed three times (default: once)
# PODIUM_E2E_SEED     of the random moments of the faults (default: another one each time, printed)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
parts=("$@")
((${#parts[@]})) || parts=(incus docker monitoring faults kubernetes bridge)
for part in "${parts[@]}"; do
  [[ -f $here/part-$part.sh ]] || {
    echo "run.sh: no part is called $part: $(cd "$here" && printf '%s ' part-*.sh)" >&2
    exit 2
  }
done

work=$(mktemp -d /tmp/podium-e2e.XXXXXX)
: >"$work/report"
failed=0 # counted by checks.sh
# shellcheck source-path=SCRIPTDIR source=versions.sh
. "$here/versions.sh"
# shellcheck source-path=SCRIPTDIR source=checks.sh
. "$here/checks.sh"
# shellcheck source-path=SCRIPTDIR source=record.sh
. "$here/record.sh"
part=run

if ((EUID != 0)) || [[ ! -f /etc/debian_version ]]; then
  skip "real nodes" "needs root on Debian or Ubuntu"
  summary
  exit
fi

export PODIUM_E2E_ID=${PODIUM_E2E_ID:-run-$$}
started=$(now)
server='' packing=''

finish() {
  local code=$?
  trap - EXIT INT TERM
  [[ -z $packing ]] || kill "$packing" 2>/dev/null || true
  if ((failed)) && [[ ${PODIUM_E2E_KEEP:-} == 1 ]]; then
    echo "kept: PODIUM_E2E_ID=$PODIUM_E2E_ID $here/nodes.sh exec $work/podium ..., labs in $work"
  else
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    "$here/nodes.sh" down || code=1
    rm -rf "$work"
  fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

check "podium is built" go -C "$here/../.." build -o "$work/podium" ./cmd/podium || exit 1
check "nodes can be made" "$here/nodes.sh" up || {
  cat "$work/output"
  exit 1
}
host=$(inside printenv PODIUM_E2E_HOST)
node_host="Debian 12 in an Incus container, cgroup v$([[ -e /sys/fs/cgroup/cgroup.controllers ]] && echo 2 || echo 1)"
check "a first image for containers is packed" "$here/kubernetes.sh" hello || exit 1
"$here/nodes.sh" exec "$here/kubernetes.sh" serve "$host:5000" >"$work/mirror.log" 2>&1 &
server=$!
# know_mirror: points podium at the mirror; again where something was packed since, as its checksum goes with it.
know_mirror() { eval "$("$here/kubernetes.sh" env "$host:5000")"; }
know_mirror
check "the mirror answers" eventually 30 inside curl -sf -o "$work/null" "http://$host:5000/v2/" || exit 1
for part in "${parts[@]}"; do
  if [[ -z $packing ]] && grep -q '^ *kubernetes_packed' "$here/part-$part.sh"; then
    "$here/kubernetes.sh" pack >"$work/pack.log" 2>&1 &
    packing=$!
  fi
done

for part in "${parts[@]}"; do
  begun=$(now) before=$failed
  rm -f "$work/ran"
  mkdir "$work/$part"
  # shellcheck source=/dev/null
  . "$here/part-$part.sh"
  "run_${part}" "$work/$part" || true
  figure "the whole part" "$(seconds $(($(now) - begun)))"
  ((failed > before)) || record "run.sh $part" $((($(now) - begun) / 1000)) "$node_host"
done

part=run
skip "Jenkins, Grafana" "their packages come from servers that are not to be had here"
skip "docker-ce" "Docker's own packages are not to be had here: source: distro"
figure "everything" "$(seconds $(($(now) - started)))"
summary
