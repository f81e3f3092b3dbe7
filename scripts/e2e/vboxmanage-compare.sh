#!/usr/bin/env bash
# vboxmanage-compare.sh: gives the same commands to the stand-in (scripts/e2e/vboxmanage) and to the real VBoxManage of
# Debian sid, whose userland runs without the kernel module in a folder of its own, and compares exit codes and answers:
# of showvminfo every key that Vagrant or podium reads, in order. What needs the module (startvm, host-only cards) is
# left out. For a nightly run: it downloads 210 MB the first time. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."

die() {
  printf 'vboxmanage-compare.sh: %s\n' "$*" >&2
  exit 1
}
[[ $EUID == 0 ]] || die "needs root: it mounts and changes its root"

root=${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/podium-e2e}/virtualbox/root
work=$(mktemp -d)
scripts/e2e/virtualbox/build.sh root

# in_real runs a command inside the folder, in mount and process namespaces that end with it, and VBoxSVC too.
cat >"$work/inside" <<'SH'
set -eu
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys" || true
# VBoxSVC keeps its socket in /tmp and machines below the home of the account, whatever HOME says.
mount -t tmpfs tmpfs "$1/tmp"
mount -t tmpfs tmpfs "$1/root"
mkdir -p "$1/mnt/compare"
mount --bind "$2" "$1/mnt/compare"
exec chroot "$1" /usr/bin/env HOME=/mnt/compare/home PATH=/usr/lib/virtualbox:/usr/sbin:/usr/bin:/sbin:/bin LANG=C bash /mnt/compare/script
SH
mkdir -p "$work/home"
in_real() { unshare --mount --pid --fork --kill-child --propagation private sh "$work/inside" "$root" "$work"; }
trap 'rm -rf --one-file-system "$work"' EXIT

# series is what both are asked. Each answer goes to a file of its own: code, stdout, stderr. $S is the machine's id.
cat >"$work/series" <<'SH'
n=0
ask() {
  n=$((n + 1))
  local code=0
  VBoxManage "$@" >"$out/$n.out" 2>"$out/$n.err" || code=$?
  printf '%s\n' "$code" >"$out/$n.code"
  printf '%s\n' "$*" >"$out/$n.args"
}
id() { VBoxManage list vms | sed -n "s/^\"$1\" {\(.*\)}$/\1/p"; }
ask list vms
ask showvminfo nobody --machinereadable
ask import -n "$ovf"
ask import "$ovf" --vsys 0 --vmname master
ask list vms
M=$(id master)
ask showvminfo "$M"
ask snapshot "$M" list --machinereadable
ask snapshot "$M" take base
ask snapshot "$M" list --machinereadable
ask clonevm "$M" --register --name clone1 --snapshot base --options link
S=$(id clone1)
ask modifyvm "$S" --macaddress1 080027A1B2C3
ask modifyvm "$S" --name lab-n1
ask modifyvm "$S" --nic2 none --nic3 none --nic4 none --nic5 none --nic6 none --nic7 none --nic8 none
ask modifyvm "$S" --nic1 nat --nic2 intnet --intnet2 lab0 --cableconnected2 on
ask modifyvm "$S" --natpf1 ssh,tcp,127.0.0.1,22010,,22
ask modifyvm "$S" --rtcuseutc on
ask modifyvm "$S" --natdnsproxy1 off --natdnshostresolver1 on
ask modifyvm "$S" --memory 384
ask modifyvm "$S" --cpus 1
ask modifyvm "$S" --groups /lab
ask modifyvm "$S" --nicpromisc2 allow-all
ask showvminfo "$S" --machinereadable
ask modifyvm "$S" --nosuchoption 1
ask modifyvm "$S" --name master
ask list runningvms
ask controlvm "$S" poweroff
ask snapshot "$S" list --machinereadable
ask snapshot "$S" take ready
ask snapshot "$S" take later
ask snapshot "$S" list --machinereadable
ask snapshot "$S" restore ready
ask snapshot "$S" take branch
ask snapshot "$S" list --machinereadable
ask snapshot "$S" restore nowhere
ask snapshot "$S" delete branch
ask snapshot "$S" delete nowhere
ask snapshot "$S" list --machinereadable
ask modifyvm "$S" --natpf1 delete ssh
ask showvminfo "$S" --machinereadable
ask unregistervm "$M" --delete
ask snapshot "$S" delete later
ask snapshot "$S" delete ready
ask unregistervm "$S" --delete
ask showvminfo "$S" --machinereadable
ask unregistervm "$M" --delete
ask list vms
SH

# alike is asked of the real one alone: a machine made by the calls that Vagrant makes (VBoxManage's log of a boot by
# Vagrant 2.3.4, with the Vagrantfile's customize lines), and one by those of --fast-boot, which a Go test keeps up to date.
# Left of each are showvminfo and the machine's file.
cp provision/machine/vagrant/testdata/fastboot-calls.txt "$work/clone"
cat >"$work/alike" <<'SH'
VBoxManage import "$ovf" --vsys 0 --vmname alike
MASTER=$(VBoxManage list vms | sed -n 's/^"alike" {\(.*\)}$/\1/p')
VBoxManage snapshot "$MASTER" take base
PORT=22231
keep() {
  VBoxManage showvminfo "$ID" --machinereadable >"$out/$1.info"
  cp "$(sed -n 's/^CfgFile="\(.*\)"$/\1/p' "$out/$1.info")" "$out/$1.file"
  VBoxManage unregistervm "$ID" --delete
}
by_vagrant() {
  VBoxManage clonevm "$MASTER" --register --name temp_clone_1 --snapshot base --options link
  ID=$(VBoxManage list vms | sed -n 's/^"temp_clone_1" {\(.*\)}$/\1/p')
  VBoxManage modifyvm "$ID" --macaddress1 080027A1B2C3
  VBoxManage modifyvm "$ID" --name lab-w1
  VBoxManage modifyvm "$ID" --nic2 none --nic3 none --nic4 none --nic5 none --nic6 none --nic7 none --nic8 none
  VBoxManage modifyvm "$ID" --nic1 nat --nic2 hostonly --hostonlyadapter2 vboxnet0 --cableconnected2 on
  VBoxManage modifyvm "$ID" --natpf1 "ssh,tcp,127.0.0.1,$PORT,,22"
  VBoxManage modifyvm "$ID" --rtcuseutc on
  VBoxManage modifyvm "$ID" --memory 1024
  VBoxManage modifyvm "$ID" --cpus 1
  VBoxManage modifyvm "$ID" --groups /lab
  VBoxManage modifyvm "$ID" --natdnsproxy1 off --natdnshostresolver1 on
}
by_vagrant
keep vagrant
ID=11111111-2222-4333-8444-555555555555
while read -r words; do
  eval "VBoxManage $words"
done </mnt/compare/clone
keep clone
VBoxManage unregistervm "$MASTER" --delete
SH

cat >"$work/script" <<'SH'
set -eu
export VBOX_USER_HOME=/mnt/compare/home/.config
cd /mnt/compare
if [ ! -f box/box.ovf ]; then
  mkdir -p box
  VBoxManage createvm --name box --ostype Debian_64 --register
  VBoxManage storagectl box --name "SATA Controller" --add sata
  VBoxManage createmedium disk --filename /mnt/compare/disk.vdi --size 64
  VBoxManage storageattach box --storagectl "SATA Controller" --port 0 --device 0 --type hdd --medium /mnt/compare/disk.vdi
  VBoxManage export box --output box/box.ovf
  VBoxManage unregistervm box --delete
fi >making.log 2>&1
out=/mnt/compare/real ovf=/mnt/compare/box/box.ovf
mkdir -p $out
VBoxManage --version
. /mnt/compare/series
. /mnt/compare/alike >alike.log 2>&1
SH
echo "asking the real one"
in_real || { tail -n 20 "$work/making.log" "$work/alike.log" && die "the real VBoxManage fails"; }

[[ $(cat "$work/real/4.code") == 0 ]] || die "the real VBoxManage does not import: $(cat "$work/real/4.err")"

echo "asking the stand-in"
mkdir -p "$work/bin" "$work/ours"
go build -o "$work/bin/VBoxManage" ./scripts/e2e/vboxmanage
(
  export PATH=$work/bin:$PATH PODIUM_VBOX_DIR=$work/vbox
  # shellcheck disable=SC2034 # read by the series
  out=$work/ours ovf=$work/box/box.ovf
  # shellcheck source=/dev/null
  . "$work/series"
)

# plain takes out what differs from run to run: ids, random addresses, folders.
plain() {
  sed -E -e 's/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/ID/g' -e 's/^(macaddress[0-9]+)="080027[0-9A-F]{6}"/\1="080027MAC"/' \
    -e "s,$work,WORK,g; s,/mnt/compare,WORK,g" -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+/TIME/g'
}

everything() { cat; }
nothing() { :; }

# read_keys keeps of showvminfo what Vagrant (2.3 and 2.4) and podium read.
read_keys() { grep -E '^(name|groups|UUID|memory|cpus|VMState|macaddress[0-9]+|nic[0-9]+|hostonlyadapter[0-9]+|bridgeadapter[0-9]+|intnet[0-9]+|Forwarding\([0-9]+\)|CurrentSnapshotUUID)='; }

# read_import keeps of import what Vagrant reads: the suggested name.
read_import() { grep -oE 'Suggested VM name "[^"]*"|VM name specified with --vmname: "[^"]*"|Successfully imported the appliance\.|[0-9]+: Hard disk image: source image=[^,]*'; }

# errors keeps of stderr the code that Vagrant looks for, and whether there is an error at all.
errors() { sed -nE -e 's/.*(VBOX_E_OBJECT_NOT_FOUND).*/\1/p' -e 's/.*(VERR_ALREADY_EXISTS).*/\1/p' -e 's/^VBoxManage: error:.*/error/p' "$1" | sort -u; }

different=0 compared=0
# own takes out what every machine has of its own: ids, folders below its own, the second card's address, moments.
own() { plain <"$1" | sed -E -e '/080027A1B2C3/!s/080027[0-9A-F]{6}/MAC/g' -e '/^VMStateChangeTime=/d' -e 's/ lastStateChange="[^"]*"//'; }
for kind in info file; do
  own "$work/real/vagrant.$kind" >"$work/vagrant.$kind"
  own "$work/real/clone.$kind" >"$work/clone.$kind"
  compared=$((compared + 1))
  [[ $(wc -l <"$work/clone.$kind") -ge 30 ]] || die "the clone's $kind is short: $(cat "$work/clone.$kind")"
  if ! diff -u --label "machine by Vagrant: $kind" --label "clone: $kind" "$work/vagrant.$kind" "$work/clone.$kind"; then
    different=$((different + 1))
  fi
done
for args in "$work"/real/*.args; do
  n=$(basename "$args" .args)
  call=$(plain <"$args")
  filter=everything
  case $call in
    showvminfo*--machinereadable) filter=read_keys ;;
    import*) filter=read_import ;;
    showvminfo* | controlvm* | 'modifyvm ID --nosuchoption'*) filter=nothing ;; # only how it ends
  esac
  for side in real ours; do
    {
      echo "code $(cat "$work/$side/$n.code")"
      errors "$work/$side/$n.err"
      plain <"$work/$side/$n.out" | $filter || true
    } >"$work/$side.answer"
  done
  compared=$((compared + 1))
  if ! diff -u --label "real: VBoxManage $call" --label "stand-in" "$work/real.answer" "$work/ours.answer"; then
    different=$((different + 1))
  fi
done
echo "$compared answers compared, $different different"
((different == 0))
