#!/usr/bin/env bash
# kubernetes.sh: a real Kubernetes, and more, for machines that reach only the Go module proxy and Debian's packages.
#
# usage: kubernetes.sh pack             Kubernetes (versions.sh): signed apt repository and container images, containerd and
#                                       flannel: 12 minutes on one core the first time, then cached
#        kubernetes.sh hello            one small container image, at once
#        kubernetes.sh also VERSION [NAME...]  another Kubernetes, such as 1.35.4, beside that one; and software for it
#        kubernetes.sh more NAME...     further software: the files in software/, each with a function pack_NAME
#        kubernetes.sh serve ADDRESS    serve them on ADDRESS, such as 198.18.255.2:5000, until it is ended; and Debian's
#                                       archive through a cache
#        kubernetes.sh env ADDRESS      print the PODIUM_MIRROR_* variables that point there, for eval
#
# Everything lies below ${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-~/.cache}/podium-e2e}/kubernetes-VERSION; what is served lies
# in the folder of the first version, one apt repository a minor, the images of all. The packages have the names and the
# layout of pkgs.k8s.io and download.docker.com, the images those of registry.k8s.io and ghcr.io, so that the guest scripts
# run unchanged with mirrors. kubeadm does without cri-tools, which software/cri-tools.sh packs. What was packed is packed
# again when its file, or build.sh, has changed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=versions.sh
. "$here/versions.sh"
first=${PODIUM_E2E_KUBERNETES:-$kubernetes_default}

cache=${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/podium-e2e}
mirror=${PODIUM_E2E_APT:-http://deb.debian.org/debian}
served=$cache/kubernetes-$first/served # what mirror serves
registry=$served/registry
keyring=$cache/kubernetes-$first/gnupg # one key for all repositories, as pkgs.k8s.io has it
tools=$cache/kubernetes-$first/tools.tar

# of VERSION: the Kubernetes that what follows is about.
of() {
  version=$1
  minor=${version%.*}
  work=$cache/kubernetes-$version
  bin=$work/bin
  repository=$served/kubernetes/core:/stable:/v$minor/deb
}
of "$first"

# shellcheck source-path=SCRIPTDIR source=build.sh
. "$here/build.sh"
mkdir -p "$work"
scratch=$(mktemp -d "$work/pack.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# more NAME [AS]: calls pack_NAME of software/NAME.sh, unless what it made is there already (it is remembered as AS). Two at
# the same time take turns; different ones do not wait for each other.
more() {
  local name=$1 as=${2:-$1} file stamp
  file=$here/software/$name.sh
  [[ -f $file ]] || die "no software is called $name: see $here/software"
  stamp=$(cat "$here/build.sh" "$file" | sha256sum)
  ! packed "$as" "$stamp" || return 0
  packages dpkg-dev gnupg mmdebstrap
  mkdir -p "$bin" "$registry" "$work/src"
  exec 8>"$served/lock-$as"
  flock 8
  packed "$as" "$stamp" || {
    # shellcheck source=/dev/null
    . "$file"
    "pack_${name//-/_}"
    echo "$stamp" >"$served/done-$as"
  }
  exec 8>&-
}

# packed NAME STAMP: whether that is served already.
packed() { [[ -f $served/done-$1 && $(cat "$served/done-$1") == "$2" ]]; }

pack() {
  more kubernetes "kubernetes-$version"
  more containerd
  more flannel
}

# also VERSION [NAME...]: another minor's repository and images beside the first one's, and software that goes with it.
also() {
  local name
  of "$1"
  [[ $1 == *.*.* && $repository != "$served/kubernetes/core:/stable:/v${first%.*}/deb" ]] ||
    die "also takes a version of another minor than $first, such as 1.35.4"
  more kubernetes "kubernetes-$version"
  for name in "${@:2}"; do more "$name" "$name-$version"; done
}

serve() {
  mkdir -p "$served" "$bin"
  (cd "$here/mirror" && CGO_ENABLED=0 nice -n 10 go build -o "$bin/mirror" .)
  rm -rf "$scratch" # exec runs no trap
  exec "$bin/mirror" -dir "$served" -listen "$1" -archive "$mirror" -cache "$cache/archive"
}

mirror_env() {
  local at=http://$1
  printf 'export PODIUM_MIRROR_%s=%q\n' KUBERNETES "$at/kubernetes" REGISTRY "$at" GITHUB "$at/github" CRI_O "$at/cri-o" HELM "$at/helm" DOCKER "$at/docker" \
    APT "$at/debian" APT_SECURITY "$at/debian-security" CHECKSUMS "$(mirror_sums)"
}

# mirror_sums: the checksums of what is built here in the place of its makers' files, as podium wants them of such a
# mirror: PATH=SHA256. (What the mirror makes up for any version, cri-dockerd, has none.)
mirror_sums() {
  local folder sum file
  for folder in "$served/github" "$served/helm"; do
    [[ ! -d $folder ]] || (cd "$folder" && find . -type f -exec sha256sum {} +)
  done | while read -r sum file; do printf '%s=%s ' "${file#./}" "$sum"; done
}

case ${1:-} in
  pack) pack ;;
  hello) more hello ;;
  also)
    shift
    also "${@:?kubernetes.sh also VERSION}"
    ;;
  more)
    shift
    for name in "$@"; do more "$name"; done
    ;;
  serve) serve "${2:?kubernetes.sh serve ADDRESS:PORT}" ;;
  env) mirror_env "${2:?kubernetes.sh env ADDRESS:PORT}" ;;
  *) die "usage: kubernetes.sh pack|also VERSION [NAME...]|hello|more NAME...|serve ADDRESS|env ADDRESS" ;;
esac
