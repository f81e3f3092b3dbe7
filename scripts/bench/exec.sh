#!/usr/bin/env bash
# Measures `podium exec -- true` on 100 addresses against pdsh, clush and `ansible -m raw`, side by side: every round
# runs each of them once, with cold connections, on one real sshd that answers at 127.0.1.1 to 127.0.1.100.
#
#   scripts/bench/exec.sh [ROUNDS]     as root; needs Go, openssh-server, pdsh, clustershell and ansible
#
# It works in a network namespace of its own, so that nothing outside can reach the sshd, and logs in as an ordinary
# user with /bin/sh that it makes and removes again.
set -euo pipefail

rounds=${1:-5}
nodes=100
user=podium-bench

if ((EUID != 0)); then
  echo "exec.sh: needs root: for the user it makes and a network namespace" >&2
  exit 1
fi
for tool in go /usr/sbin/sshd ssh pdsh clush ansible ip; do
  command -v "$tool" >/dev/null || {
    echo "exec.sh: $tool is missing: apt-get install openssh-server pdsh clustershell ansible iproute2, and Go" >&2
    exit 1
  }
done

cd "$(dirname "$0")/../.."
if [[ ${PODIUM_BENCH_WORK:-} == "" ]]; then
  PODIUM_BENCH_WORK=$(mktemp -d)
  export PODIUM_BENCH_WORK
  trap 'rm -rf "$PODIUM_BENCH_WORK"' EXIT
  go build -o "$PODIUM_BENCH_WORK/podium" ./cmd/podium # while the network is there
  unshare --net "$0" "$@"
  exit
fi
work=$PODIUM_BENCH_WORK
ip link set lo up
chmod 755 "$work" # the sshd reads the user's keys as the user

cleanup() {
  if [[ -s $work/sshd.pid ]]; then
    kill "$(cat "$work/sshd.pid")" || :
  fi
  userdel --remove "$user" 2>/dev/null || :
}
trap cleanup EXIT

useradd --create-home --shell /bin/sh --password '*' "$user" 2>/dev/null
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
install -m 644 "$work/key.pub" "$work/authorized_keys"
mkdir -p /run/sshd
cat >"$work/sshd_config" <<END
ListenAddress 0.0.0.0:2222
HostKey $work/host
AuthorizedKeysFile $work/authorized_keys
PidFile $work/sshd.pid
AllowUsers $user
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
MaxStartups 1000
END
/usr/sbin/sshd -f "$work/sshd_config" -E "$work/sshd.log"

# OpenSSH's client, which the others use, knows the host key and asks nothing.
printf '[127.0.1.*]:2222 %s\n' "$(cut -d ' ' -f 1,2 "$work/host.pub")" >"$work/known_hosts"
cat >"$work/ssh_config" <<END
Host *
  Port 2222
  User $user
  IdentityFile $work/key
  IdentitiesOnly yes
  UserKnownHostsFile $work/known_hosts
  StrictHostKeyChecking yes
  ControlMaster no
END
export PDSH_SSH_ARGS_APPEND="-F $work/ssh_config"
export ANSIBLE_SSH_ARGS="-F $work/ssh_config" ANSIBLE_HOME=$work/ansible ANSIBLE_LOCALHOST_WARNING=0
printf '127.0.1.%d\n' $(seq "$nodes") >"$work/inventory"

mkdir "$work/lab"
cat >"$work/lab/lab.yaml" <<END
name: bench
provider: static
network: 127.0.1.0/24
nodes:
  - {name: n, count: $nodes, roles: [docker], address: 127.0.1.1, ssh: {port: 2222, user: $user, key: $work/key}}
docker: {}
END

podium() {
  rm -rf "$work/lab/.podium" # each round meets every node for the first time
  SSH_AUTH_SOCK='' "$work/podium" exec "$work/lab" -- true
}
pdsh_all() { pdsh -R ssh -f "$nodes" -w "127.0.1.[1-$nodes]" true; }
clush_all() { clush -f "$nodes" -o "-F $work/ssh_config" -w "127.0.1.[1-$nodes]" true; }
ansible_all() { ansible -i "$work/inventory" all -f "$nodes" -m raw -a true; }

# measure NAME COMMAND: one run; its real, user and system seconds go to NAME.times.
measure() {
  local TIMEFORMAT='%R %U %S'
  { time "$2" >"$work/$1.out" 2>&1; } 2>>"$work/$1.times" || {
    echo "exec.sh: $1 failed:" >&2
    tail -n 20 "$work/$1.out" >&2
    exit 1
  }
}

# median NAME FIELD: of all rounds; field 4 is user and system time together.
median() {
  awk -v f="$2" '{ $4 = $2 + $3; print $f }' "$work/$1.times" | sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

for ((i = 0; i < rounds; i++)); do
  measure podium podium
  measure pdsh pdsh_all
  measure clush clush_all
  measure ansible ansible_all
done

printf '%-8s %10s %12s %8s   (median of %d rounds, %d nodes, %d processors, load %s)\n' \
  '' 'seconds' 'client CPU' 'slower' "$rounds" "$nodes" "$(nproc)" "$(cut -d ' ' -f 1 /proc/loadavg)"
own=$(median podium 1)
for name in podium pdsh clush ansible; do
  real=$(median "$name" 1)
  printf '%-8s %10.2f %12.2f %7.1fx\n' "$name" "$real" "$(median "$name" 4)" "$(awk "BEGIN { print $real / $own }")"
done
