#!/usr/bin/env bash
# windows.sh: podium.exe and its tests under Wine. Go's programs need bcryptprimitives.dll, which Wine 8 of Debian 12
# does not have and Wine 10 of Debian 13 has: so Wine runs in a folder of Debian 13's packages, without a display, and
# without a network but loopback. What Wine cannot show stands in windows-checks.sh, which runs inside.
#
# usage: windows.sh                     smoke checks, then the tests of what differs on Windows, in their short form
#        windows.sh smoke               smoke checks alone
#        windows.sh all                 smoke checks, then every test, those of the simulator too
#        windows.sh test PACKAGE...     the tests of these packages (provision/state ...)
#
# It needs root on Debian or Ubuntu, and the kernel's overlay file system.
# PODIUM_E2E_EXE   a podium.exe, such as a release's, to check in place of one built here
# PODIUM_E2E_RUN   a pattern: only these tests run
# PODIUM_E2E_LOGS  a folder: what the tests say is kept in it
# PODIUM_E2E_CACHE, PODIUM_E2E_APT as in nodes.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
cache=${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/podium-e2e}
mirror=${PODIUM_E2E_APT:-http://deb.debian.org/debian}
root=$cache/wine/root

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
die() {
  printf 'windows.sh: %s\n' "$*" >&2
  exit 1
}
# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$repository/scripts/e2e/packages.sh"

# system makes the folder: Debian 13 with Wine, and a Windows, which Wine calls a prefix, in /wine. A suite of no
# packages but these; what 32-bit programs, readers and translators need stays away.
# shellcheck disable=SC2016 # $1 of a hook is the new root
system() {
  local recipe
  recipe=$(declare -f system | sha256sum)
  mkdir -p "$cache/wine"
  exec 7>"$cache/wine/lock"
  flock 7
  if [[ $(cat "$cache/wine/recipe" 2>/dev/null) != "$recipe" ]]; then
    say "making Debian 13 with Wine"
    rm -f "$cache/wine/recipe"
    rm -rf --one-file-system "$root"
    timeout 900 nice -n 10 mmdebstrap --quiet --format=directory --variant=minbase --mode=root --architectures=amd64 \
      --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
      --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/lib/*/wine/i386-windows/*' \
      --include=wine,wine64 \
      --customize-hook='mkdir "$1"/share "$1"/repository' \
      --customize-hook='env -i HOME=/root PATH=/usr/bin:/bin:/usr/sbin:/sbin XDG_RUNTIME_DIR=/tmp WINEPREFIX=/wine WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml= chroot "$1" timeout 300 sh -c "wineboot -u && wineserver -w" >/dev/null' \
      trixie "$root" "deb $mirror trixie main" "deb $mirror-security trixie-security main"
    [[ -d $root/wine/drive_c/windows/system32 ]] || die "Wine made no drive C: in $root/wine"
    echo "$recipe" >"$cache/wine/recipe"
  fi
  exec 7>&-
}

# inside COMMAND...: in a system of its own above the folder, whose changes are lost, with $work in /share, and with the
# repository, which it cannot change, in /repository. Mounts, processes and network are its own too: Wine's services and
# the simulator end with it.
inside() {
  # shellcheck disable=SC2016 # expanded inside
  nice -n 10 unshare --mount --pid --fork --kill-child --net --propagation private bash -c '
    set -e
    lower=$1 share=$2 repository=$3
    shift 3
    ip link set lo up
    mount -t tmpfs -o size=4g tmpfs "$share/system"
    mkdir "$share"/system/{upper,work,root}
    root=$share/system/root
    mount -t overlay -o "lowerdir=$lower,upperdir=$share/system/upper,workdir=$share/system/work" overlay "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/tmp"
    mount --bind "$share" "$root/share"
    mount --bind "$repository" "$root/repository"
    mount -o remount,bind,ro "$root/repository"
    exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 TERM=xterm XDG_RUNTIME_DIR=/tmp \
      WINEPREFIX=/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=" PODIUM_E2E_RUN="${PODIUM_E2E_RUN:-}" "$@"
  ' _ "$root" "$work" "$repository" "$@" </dev/null
}

# Rooms that touch neither files nor programs nor the network of the system that they run on: the simulator's nodes, with
# which cmd/podium's tests are made, and the catalogue.
same='^provision/(machine/sim|catalogue)'

# with_tests PATTERN...: packages that have tests.
with_tests() { GOOS=windows go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' "$@" | sed -n 's|^podium/||p'; }

# build makes podium.exe, and a program of the tests of each package.
build() {
  local p
  say "building podium.exe and the programs of the tests"
  export CGO_ENABLED=0 GOOS=windows GOARCH=amd64
  if [[ -n ${PODIUM_E2E_EXE:-} ]]; then
    cp "$PODIUM_E2E_EXE" "$work/podium.exe"
  else
    nice -n 10 go build -o "$work/podium.exe" ./cmd/podium
  fi
  for p in "$@"; do
    nice -n 10 go test -c -o "$work/tests/${p//\//-}.exe" "./$p"
  done
}

[[ $EUID == 0 ]] || die "needs root: it mounts and changes its root"
what=${1:-short}
case $what in
  smoke) tested=() ;;
  test) tested=("${@:2}") ;;
  short) mapfile -t tested < <(with_tests ./cmd/... ./provision/... | grep -vE "$same") ;;
  all) mapfile -t tested < <(with_tests ./...) ;;
  *) die "$what: write smoke, all, or test PACKAGE..." ;;
esac
work=$(mktemp -d /var/tmp/podium-windows.XXXXXX)
trap '[[ -z ${PODIUM_E2E_LOGS:-} ]] || cp "$work"/tests/*.log "$PODIUM_E2E_LOGS"; rm -rf --one-file-system "$work"' EXIT
mkdir "$work/tests" "$work/system"
cp scripts/e2e/windows-checks.sh "$work/checks" # bash reads it as it goes on, and somebody may edit it
packages mmdebstrap iproute2
system
build "${tested[@]}"
inside timeout -k 10 2400 bash /share/checks "$what" "${tested[@]}"
