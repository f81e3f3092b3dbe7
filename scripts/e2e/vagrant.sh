#!/usr/bin/env bash
# vagrant.sh: the VirtualBox path from end to end, with Debian's unmodified vagrant. VirtualBox itself is played by
# scripts/e2e/vboxmanage, whose machines are system containers (nodes.sh). It needs root and what nodes.sh needs.
#
# usage: vagrant.sh             a lab of three nodes from up to destroy; vagrant must agree at every point; then cluster
#        vagrant.sh life        only that lab
#        vagrant.sh cluster     only labs/k8s-basic as a real cluster of 1 + 1, with kubernetes.sh's mirror
#        vagrant.sh figures     status, reset and boot of four machines against vagrant's own
#        vagrant.sh boots       boot alone
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
die() {
  printf 'vagrant.sh: %s\n' "$*" >&2
  exit 1
}

if [[ -z ${PODIUM_E2E_INSIDE:-} ]]; then
  [[ $EUID == 0 ]] || die "needs root: nodes.sh makes namespaces and mounts"
  if ! command -v vagrant >/dev/null; then
    say "installing vagrant"
    apt-get -qq -o DPkg::Lock::Timeout=300 update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends vagrant >/dev/null
  fi
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  say "building podium and the stand-in for VBoxManage"
  mkdir -p "$work/bin"
  go build -o "$work/bin/podium" ./cmd/podium
  go build -o "$work/bin/VBoxManage" ./scripts/e2e/vboxmanage
  # Compiled the first time, which takes eight minutes of one processor.
  case ${1:-all} in all | cluster) scripts/e2e/kubernetes.sh pack ;; esac
  export PODIUM_E2E_INSIDE=$work PODIUM_E2E_ID=${PODIUM_E2E_ID:-vagrant-$$}
  scripts/e2e/nodes.sh with scripts/e2e/vagrant.sh "$@"
  exit
fi

work=$PODIUM_E2E_INSIDE
# shellcheck source-path=SCRIPTDIR source=record.sh
. "$repository/scripts/e2e/record.sh"
export PATH=$work/bin:$PATH VAGRANT_HOME=$work/vagrant.d VAGRANT_CHECKPOINT_DISABLE=1
export PODIUM_VBOX_DIR=$work/virtualbox PODIUM_VBOX_IMAGE=vagrant-box
# There is no VirtualBox: neither its kernel module nor the processor's virtualisation; and containers need less disk.
skip=(--skip-preflight virtualisation-off --skip-preflight kernel-module --skip-preflight kvm --skip-preflight disk)

# image makes the Incus image that plays the box's disk: the account and the key that every box has.
image() {
  local key
  key=$(cat "$(gem_dir)/keys/vagrant.pub")
  incus launch -q debian-12 box-maker
  # shellcheck disable=SC2016 # expanded inside
  incus exec box-maker -- sh -c 'until systemctl is-system-running --wait >/dev/null 2>&1 || [ "$(systemctl is-system-running)" = degraded ]; do sleep 0.2; done'
  # shellcheck disable=SC2016 # expanded inside
  incus exec box-maker --env KEY="$key" -- sh -c '
    set -eu
    useradd -m -s /bin/bash vagrant
    echo "vagrant ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/vagrant
    install -d -m 700 /home/vagrant/.ssh
    echo "$KEY" >/home/vagrant/.ssh/authorized_keys
    chmod 600 /home/vagrant/.ssh/authorized_keys
    chown -R vagrant: /home/vagrant/.ssh
    # A container has its sshd sooner than what Vagrant asks for through it; a machine never does.
    install -d /etc/systemd/system/ssh.service.d
    printf "[Unit]\nAfter=systemd-networkd.service dbus.service systemd-logind.service\n" >/etc/systemd/system/ssh.service.d/after.conf
    rm -f /etc/ssh/ssh_host_* /etc/machine-id
    : >/etc/machine-id'
  incus stop -f box-maker
  incus publish -q box-maker --alias "$PODIUM_VBOX_IMAGE" >/dev/null
  incus delete box-maker
}

gem_dir() { ruby -e 'puts Gem::Specification.find_by_name("vagrant").gem_dir'; }

# box makes a Vagrant box whose disk is empty: the image stands for it.
box() {
  local dir=$work/box
  mkdir -p "$dir"
  cat >"$dir/box.ovf" <<'OVF'
<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
  <References><File ovf:href="box-disk001.vmdk" ovf:id="file1"/></References>
  <VirtualSystem ovf:id="box"></VirtualSystem>
</Envelope>
OVF
  echo '{"provider": "virtualbox"}' >"$dir/metadata.json"
  : >"$dir/box-disk001.vmdk"
  echo 'Vagrant.configure("2") { |config| config.vm.base_mac = "080027A1B2C3" }' >"$dir/Vagrantfile"
  tar -C "$dir" -czf "$work/debian.box" box.ovf metadata.json box-disk001.vmdk Vagrantfile
  vagrant box add --name podium/debian "$work/debian.box" >/dev/null
}

# lab COUNT writes a lab of so many nodes.
lab() {
  mkdir -p "$work/lab"
  cat >"$work/lab/lab.yaml" <<YAML
name: vb
provider: virtualbox
box: podium/debian
network: 192.168.56.0/24
nodes:
  - {name: n, count: $1, roles: [], cpus: 1, memory: 512MiB}
YAML
  cd "$work/lab"
}

own() { (cd "$work/lab/.podium/vagrant" && vagrant "$@"); }

# agrees STATE: vagrant must find every machine in that state.
agrees() {
  local found
  found=$(own status --machine-readable | sed -n 's/^[0-9]*,\([^,]*\),state,\(.*\)$/\1 \2/p' | sort | tr '\n' ' ')
  [[ $found == "$(for node in n1 n2 n3; do printf '%s %s ' "$node" "$1"; done)" ]] || die "vagrant sees: $found, want all $1"
  say "vagrant agrees: all $1"
}

# shows STATE: podium must find every machine in that state.
shows() {
  local found
  found=$(podium status -o json | tr -d ' \n' | grep -o "\"machine\":\"$1\"" | wc -l)
  [[ $found == 3 ]] || die "podium status: $found machines are $1, want 3: $(podium status 2>&1)"
}

# refused ID NAME BOX: a lab of that name and box, in the same network, must be refused before anything is made.
refused() {
  local code=0 before
  before=$(VBoxManage list vms)
  mkdir -p "$work/$2"
  sed -e "s/^name: .*/name: $2/" -e "s,^box: .*,box: $3," lab.yaml >"$work/$2/lab.yaml"
  podium up "$work/$2" "${skip[@]}" >"$work/out" 2>&1 || code=$?
  if [[ $code != 3 ]] || ! grep -q "\[$1\]" "$work/out"; then die "not refused by $1 (code $code): $(cat "$work/out")"; fi
  [[ $(VBoxManage list vms) == "$before" ]] || die "a refused lab has made machines"
}

# hardware NODE: what VirtualBox says of a machine, without what every machine has of its own.
hardware() {
  VBoxManage showvminfo "$(cat ".podium/vagrant/.vagrant/machines/$1/virtualbox/id")" --machinereadable |
    sed -E -e 's/^(UUID|hardwareuuid|VMStateChangeTime|macaddress[2-8])=.*/\1/' -e '/^(Current)?Snapshot/d' | sort
}

# kept NODE: the files that Vagrant has in its folder of a machine, and what stands in those that do not differ.
kept() {
  (cd ".podium/vagrant/.vagrant/machines/$1/virtualbox" && ls && head -n 100 box_meta creator_uid synced_folders vagrant_cwd)
}

# inside NODE: what a first boot leaves on a machine.
inside() {
  podium exec --on "$1" -- sudo sh -c 'hostname; cat /etc/hostname /etc/mailname /etc/hosts; ip -4 -o address show eth1 | cut -d " " -f 2-8
    cd /etc/systemd/network; ls -l 50-vagrant-* | cut -c 1-24; cat 50-vagrant-*; grep -c . ~vagrant/.ssh/authorized_keys; ls -ld ~vagrant/.ssh ~vagrant/.ssh/authorized_keys | cut -c 1-25' | sed 's/^[^|]*| //'
}

# alike: a machine that Vagrant makes and one that podium makes after it must not differ.
alike() {
  say "n3 by Vagrant, and n3 as a clone"
  local what
  podium destroy --node n3 --yes
  podium up "${skip[@]}" --no-baseline >"$work/out" 2>&1 || die "$(cat "$work/out")"
  for what in hardware kept inside; do "$what" n3 >"$work/$what.vagrant"; done
  podium destroy --node n3 --yes
  podium up "${skip[@]}" --no-baseline --fast-boot -v >"$work/out" 2>&1 || die "$(cat "$work/out")"
  grep -q 'n3/boot .*with the hardware of' "$work/out" || die "n3 is no clone: $(cat "$work/out")"
  ! grep -q 'left to Vagrant' "$work/out" || die "n3 was left to Vagrant: $(grep n3/boot "$work/out")"
  for what in hardware kept inside; do
    "$what" n3 >"$work/$what.clone"
    diff -u --label "$what by Vagrant" --label "$what of a clone" "$work/$what.vagrant" "$work/$what.clone" || die "the clone differs"
    [[ $(wc -l <"$work/$what.clone") -gt 5 ]] || die "nothing was compared: $(cat "$work/$what.clone")"
  done
  own global-status | grep -q ' n3 .*virtualbox' || die "vagrant global-status does not know n3: $(own global-status)"
  own halt n3 >/dev/null
  own up n3 --no-provision >/dev/null || die "vagrant does not start a clone"
  [[ $(own ssh n3 -c hostname 2>/dev/null | tr -d '\r') == n3 ]] || die "vagrant ssh does not get into a clone"
  own destroy -f n3 >/dev/null || die "vagrant does not destroy a clone"
  ! own global-status | grep -q ' n3 ' || die "vagrant global-status still knows n3"
  podium up "${skip[@]}" >/dev/null
  shows running && agrees running
}

# netplan: guestsetup.sh where the network is configured by netplan, as on Ubuntu; the nodes of these runs have none.
netplan() {
  local try script
  script=$(cat "$repository/provision/machine/vagrant/guestsetup.sh")
  say "guestsetup.sh on a machine with netplan"
  incus network create netplan ipv4.address=192.168.77.1/24 ipv4.nat=false ipv6.address=none
  incus launch -q "$PODIUM_VBOX_IMAGE" netplan
  incus config device add netplan eth1 nic network=netplan name=eth1 >/dev/null
  incus exec netplan -- sh -c '
    until getent hosts deb.debian.org >/dev/null; do sleep 0.5; done
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y netplan.io >/dev/null 2>&1
    rm /etc/systemd/network/eth0.network
    (umask 077 && printf "network:\n  ethernets:\n    eth0: {dhcp4: true}\n" >/etc/netplan/01-base.yaml)
    netplan apply' >"$work/out" 2>&1 || die "no netplan: $(cat "$work/out")"
  printf 'network:\n  version: 2\n  renderer: networkd\n  ethernets:\n    eth1:\n      addresses:\n      - 192.168.77.12/24\n' >"$work/50-vagrant.yaml"
  for try in first second; do
    incus exec netplan -- bash -c "$script" guestsetup.sh w1 vagrant 'ssh-rsa AAAA test' /etc/netplan/50-vagrant.yaml 600 192.168.77.12 \
      <"$work/50-vagrant.yaml" >"$work/out" 2>&1 || die "guestsetup.sh, $try time: $(cat "$work/out")"
  done
  # shellcheck disable=SC2016 # expanded inside
  incus exec netplan -- sh -c 'set -e; test "$(hostname)" = w1; test "$(grep -c test /home/vagrant/.ssh/authorized_keys)" = 1
    test "$(stat -c %a /etc/netplan/50-vagrant.yaml)" = 600; ip -4 address show eth1 | grep -q 192.168.77.12/24' || die "guestsetup.sh did not do what Vagrant does"
  incus delete -f netplan
  incus network delete netplan >/dev/null
}

life() {
  lab 3
  podium doctor || true
  say "up"
  podium up "${skip[@]}"
  shows running && agrees running
  say "a second lab with the same network, and one whose box cannot be had"
  refused address-taken other podium/debian
  refused box-unreachable nowhere podium/no-such-box
  say "exec and ssh"
  [[ $(podium exec -- hostname | sort | tr -s '\n ' '  ') == *n1*n2*n3* ]] || die "exec: $(podium exec -- hostname)"
  podium exec --on n1 -- ping -c 1 -W 2 192.168.56.12 >/dev/null || die "n1 does not reach n2 over the private network"
  [[ $(own ssh n2 -c hostname 2>/dev/null | tr -d '\r') == n2 ]] || die "vagrant ssh no longer gets in"
  podium exec -- sh -c '! grep -q "insecure" ~/.ssh/authorized_keys' || die "the key that everyone has still opens a node"
  alike
  podium exec -- sudo touch /root/changed
  say "snapshot and reset"
  podium snapshot save later
  own snapshot list n1 | grep -qx later || die "vagrant does not know the snapshot: $(own snapshot list n1)"
  shows running && agrees running
  podium reset --yes
  shows running && agrees running
  podium exec -- sudo test ! -e /root/changed || die "reset kept what came after the first good state"
  podium snapshot restore later --yes || die "restore"
  podium up "${skip[@]}" >/dev/null
  podium exec -- sudo test -e /root/changed || die "the later snapshot is not what it was"
  podium snapshot delete later
  say "behind podium's back: one powered off from inside, one deleted"
  podium exec --on n1 -- sudo poweroff || true
  local id
  id=$(cat .podium/vagrant/.vagrant/machines/n3/virtualbox/id)
  VBoxManage controlvm "$id" poweroff 2>/dev/null
  # As long as its process holds the machine, VirtualBox refuses.
  for _ in $(seq 20); do
    VBoxManage unregistervm "$id" --delete 2>/dev/null && break
    sleep 0.2
  done
  podium up "${skip[@]}"
  shows running && agrees running
  say "halt and up"
  podium halt
  shows stopped && agrees poweroff
  podium up "${skip[@]}"
  shows running && agrees running
  say "killed in the middle of a boot"
  podium destroy --node n3 --yes
  podium up "${skip[@]}" >/dev/null 2>&1 &
  local pid=$!
  for _ in $(seq 200); do
    [[ -s .podium/vagrant/.vagrant/machines/n3/virtualbox/id ]] && break
    sleep 0.1
  done
  kill -KILL "$pid"
  wait "$pid" 2>/dev/null || true
  podium up "${skip[@]}"
  shows running && agrees running
  say "Vagrant's folder is lost"
  mv .podium/vagrant/.vagrant "$work/lost"
  ! podium up "${skip[@]}" --skip-preflight address-taken >"$work/out" 2>&1 || die "up made machines beside those that exist"
  grep -q name-taken "$work/out" || die "up does not name the orphans: $(cat "$work/out")"
  mv "$work/lost" .podium/vagrant/.vagrant
  agrees running
  say "bare vagrant: halt, up"
  own halt n1 >/dev/null
  own up n1 --no-provision >/dev/null
  podium exec -- true || die "podium does not reach a machine that vagrant has started"
  say "destroy"
  podium destroy --yes
  ! VBoxManage list vms | grep -qv '^"box_' || die "machines are left: $(VBoxManage list vms)"
  [[ $(incus list -f csv -c n) == "" ]] || die "guests are left: $(incus list -f csv)"
  [[ ! -e .podium/vagrant ]] || die "the Vagrantfile is left"
  say "done: the whole life of a lab, and vagrant agreed at each point"
}

# cluster makes the built-in lab k8s-basic, unchanged, of machines of VirtualBox. Its override names the box and what runs here.
cluster() {
  local at=$PODIUM_E2E_HOST:5000 mirror
  say "a real cluster: k8s-basic by VirtualBox's path"
  "$repository/scripts/e2e/kubernetes.sh" serve "$at" >"$work/mirror.log" 2>&1 &
  mirror=$!
  # shellcheck disable=SC2064 # the process of now
  trap "kill $mirror" EXIT
  eval "$("$repository/scripts/e2e/kubernetes.sh" env "$at")"
  for _ in $(seq 300); do
    curl -sf -o "$work/null" "http://$at/v2/" && break
    sleep 0.2
  done
  export PODIUM_VBOX_PRIVILEGED=1
  mkdir -p "$work/k8s"
  cd "$work/k8s"
  podium init k8s-basic . >/dev/null
  cat >lab.override.yaml <<'YAML'
box: podium/debian
nodes: [{name: w, count: 1}]
YAML
  podium up "${skip[@]}"
  nodes_are_ready
  podium status
  podium status -o json | grep -q '"provider": "virtualbox"' || die "the cluster is not VirtualBox's"
  say "a second up, reset, destroy"
  podium up "${skip[@]}" -o json >"$work/out"
  ! grep '"kind":"task-done"' "$work/out" | grep -v '"step":"boot"' || die "a second up did something"
  podium ssh cp -- kubectl create configmap after-ready >/dev/null
  podium reset --yes
  nodes_are_ready
  ! podium ssh cp -- kubectl get configmap after-ready >/dev/null 2>&1 || die "reset kept what came after the first good state"
  ran_cluster "$PWD"
  podium destroy --yes
  ! VBoxManage list vms | grep -qv '^"box_' || die "machines are left: $(VBoxManage list vms)"
  kill "$mirror"
  trap - EXIT
  say "done: a cluster whose machines Vagrant and VirtualBox have made"
}

# nodes_are_ready: both, with their private addresses, within a minute of asking.
nodes_are_ready() {
  local found want='cp 192.168.56.10 True w1 192.168.56.11 True '
  for _ in $(seq 60); do
    found=$(podium ssh cp -- kubectl get nodes -o \
      'jsonpath={range .items[*]}{.metadata.name} {.status.addresses[?(@.type=="InternalIP")].address} {.status.conditions[?(@.type=="Ready")].status} {end}' 2>&1) || true
    [[ $found == "$want" ]] && say "both nodes are Ready" && return
    sleep 1
  done
  die "the nodes are: $found, want: $want"
}

# best N COMMAND...: the shortest of N runs, in milliseconds.
best() {
  local times=$1 shortest=999999999 begin took
  shift
  for _ in $(seq "$times"); do
    begin=$(date +%s%N)
    "$@" >/dev/null 2>&1 || die "$* failed"
    took=$((($(date +%s%N) - begin) / 1000000))
    ((took < shortest)) && shortest=$took
  done
  echo "$shortest"
}

# spend COMMAND...: runs it and sets took, in milliseconds, and used, the processor's seconds for it and what it has started.
spend() {
  local begin TIMEFORMAT='%U %S'
  begin=$(date +%s%N)
  { time "$@" >/dev/null 2>"$work/out"; } 2>"$work/times" || die "$* failed: $(tail -n 5 "$work/out")"
  took=$((($(date +%s%N) - begin) / 1000000))
  used=$(awk '{ print $1 + $2 }' "$work/times")
}

restore_by_vagrant() { for n in 1 2 3 4; do own snapshot restore "n$n" ready --no-provision; done; }
boot_by_vagrant() { own up --no-provision; }
destroy_by_vagrant() { own destroy -f; }

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a / b }'; }

figures() {
  lab 4
  podium up "${skip[@]}" >/dev/null
  local a b
  a=$(best 5 podium status) b=$(best 5 own status)
  echo "status of 4:  podium $a ms, vagrant status $b ms: $(ratio "$b" "$a") times"
  a=$(best 2 podium reset --yes) b=$(best 1 restore_by_vagrant)
  echo "reset of 4:   podium $a ms, vagrant snapshot restore of the four $b ms: $(ratio "$b" "$a") times"
  podium destroy --yes >/dev/null 2>&1
  boots
}

# boots compares the boot of four machines, each way twice in turn: other work on the computer meets both.
boots() {
  lab 4
  local turn took used
  podium up "${skip[@]}" --no-baseline >/dev/null # makes what later boots find: the box's master, the host-only network
  cp .podium/vagrant/Vagrantfile "$work/Vagrantfile"
  for turn in 1 2; do
    podium destroy --yes >/dev/null 2>&1
    spend podium up "${skip[@]}" --no-baseline --fast-boot
    local a=$took processor=$used
    podium destroy --yes >/dev/null 2>&1
    mkdir -p .podium/vagrant
    cp "$work/Vagrantfile" .podium/vagrant/
    spend boot_by_vagrant
    destroy_by_vagrant >/dev/null 2>&1
    echo "boot of 4, $turn: podium up --fast-boot $a ms (steps included), vagrant up $took ms: $(ratio "$took" "$a") times;" \
      "processor time of podium, Vagrant and VBoxManage $processor s, $used s: $(ratio "$used" "$processor") times"
  done
}

# recorded PART: runs it, and notes that it has passed.
recorded() {
  local begun=$SECONDS
  "$1"
  ran vagrant "$(vagrant --version | cut -d ' ' -f 2)"
  ran virtualbox "$(VBoxManage --version)" stand-in
  record "vagrant.sh $1" $((SECONDS - begun)) "Debian 12 in an Incus container, as a machine of VirtualBox"
}

image
box
case ${1:-all} in
  all)
    netplan
    recorded life
    recorded cluster
    ;;
  life)
    netplan
    recorded life
    ;;
  cluster) recorded cluster ;;
  figures) figures ;;
  boots) boots ;;
  *) die "usage: vagrant.sh [life|cluster|figures|boots]" ;;
esac
