#!/usr/bin/env bash
# virtualbox.sh: podium, unmodified Vagrant and real VirtualBox, whose own interpreter runs the machines where its kernel
# module cannot be loaded: 10 million instructions a second. Two machines of a small Debian 12 (virtualbox/), made and
# used in namespaces that end with the run. Needs root on Debian 12; what it builds from nothing takes ten minutes of processor.
#
# usage: virtualbox.sh               a lab of two machines from up to destroy, and what can happen to them
#        virtualbox.sh states        podium's tests of a machine's states on machines without a system: needs no build;
#                                    states PATTERN: those whose names fit
#        virtualbox.sh short         one machine: up, exec, copy, ssh, halt, snapshots, reset, destroy
#        virtualbox.sh mishaps       one machine that is killed, saved, crashes, whose port is taken; two podiums at once
#        virtualbox.sh fast-boot     the second machine by podium itself, and compared with Vagrant's, running
#        virtualbox.sh kill          podium is killed at random moments of up and reset
#        virtualbox.sh figures       boot, up, reset and status against Vagrant's own
#        virtualbox.sh with COMMAND  COMMAND where VBoxManage starts such machines
#
# states is part of CI: three minutes. short takes 13 at a load of 4 to 18. All but states boot a system, which
# Vagrant's first boot costs 100 to 250 seconds of a processor: they want a computer that has little else to do.
#
# PODIUM_E2E_CACHE, PODIUM_E2E_APT as in nodes.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD

if [[ -z ${PODIUM_VBOX_INSIDE:-} ]]; then
  [[ $EUID == 0 ]] || {
    echo "virtualbox.sh: needs root: it makes namespaces and mounts" >&2
    exit 1
  }
  case ${1:-life} in
    states) kind=root ;;
    *) kind=box ;;
  esac
  PODIUM_VBOX_BOX=$(scripts/e2e/virtualbox/build.sh "$kind")
  export PODIUM_VBOX_BOX
  work=$(mktemp -d /var/tmp/podium-virtualbox.XXXXXX)
  trap 'rm -rf --one-file-system "$work"' EXIT
  mkdir -p "$work/bin"
  go build -o "$work/bin/podium" ./cmd/podium
  go test -c -o "$work/bin/states" ./provision/machine/vagrant
  scripts/e2e/virtualbox/inside.sh "$work" scripts/e2e/virtualbox.sh "$@"
  # shellcheck source-path=SCRIPTDIR source=record.sh
  . scripts/e2e/record.sh
  record "virtualbox.sh ${1:-life}" "$SECONDS" "VirtualBox without its kernel module, by its interpreter"
  exit
fi

work=$PODIUM_VBOX_WORK
export PATH=$work/bin:$PATH HOME=$work/home VAGRANT_HOME=$work/vagrant.d VAGRANT_CHECKPOINT_DISABLE=1 PODIUM_VBOX_TRACE=$work/trace.log
# shellcheck source=scripts/e2e/virtualbox/life.sh
. "$repository/scripts/e2e/virtualbox/life.sh"
# A failure shows what VirtualBox has refused last, and in which words.
trap '(($? == 0)) || grep -A 12 "  code " "$PODIUM_VBOX_TRACE" | tail -n 60 >&2' EXIT
[[ ${1:-} == with || ${1:-} == states ]] || vagrant box add --name podium/debian "$PODIUM_VBOX_BOX" >/dev/null
case ${1:-life} in
  life) life ;;
  states) PODIUM_REAL_VIRTUALBOX=$work "$work/bin/states" -test.v -test.count=1 -test.run "${2:-TestReal}" ;;
  short) short ;;
  mishaps) mishaps ;;
  figures) figures ;;
  kill) kill_podium ;;
  fast-boot) fast_boot ;;
  with) "${@:2}" ;;
  *) die "usage: virtualbox.sh [states|short|mishaps|fast-boot|kill|figures|with COMMAND]" ;;
esac

# What the part has run, for the record that is written outside.
# shellcheck source-path=SCRIPTDIR source=record.sh
. "$repository/scripts/e2e/record.sh"
case ${1:-life} in
  with) ;;
  states) ran virtualbox "$(VBoxManage --version)" ;;
  *)
    ran virtualbox "$(VBoxManage --version)"
    ran vagrant "$(vagrant --version | cut -d ' ' -f 2)"
    ;;
esac
