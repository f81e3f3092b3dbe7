#!/usr/bin/env bash
# kubernetes.sh: a real Kubernetes for machines that reach only the Go module proxy and Debian's packages.
#
# usage: kubernetes.sh build     compile the binaries (5 to 10 minutes on one core the first time, then cached)
#        kubernetes.sh pack      build, then packages, signed apt repository and container images
#        kubernetes.sh path      print the folder that mirror.go serves
#
# Everything lies below ${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-~/.cache}/podium-e2e}/kubernetes-VERSION. The packages have the
# names and the layout of pkgs.k8s.io, so that the guest scripts run unchanged with PODIUM_MIRROR_KUBERNETES and
# PODIUM_MIRROR_REGISTRY pointing here. Left out: cri-tools, which no Go module proxy serves completely.
set -euo pipefail

# The newest patch of the newest minor whose kubelet still takes cgroup v1 without being asked.
version=${PODIUM_E2E_KUBERNETES:-1.34.4}
minor=${version%.*}
# What kubeadm of that version asks for: cmd/kubeadm/app/constants/constants.go.
etcd_version=3.6.5
coredns_version=1.12.1
flannel_version=0.28.4
# The last release of the CNI plugins that still contains flannel's; its own module is not on the proxy.
flannel_plugin_version=0.9.1

cache=${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/podium-e2e}
work=$cache/kubernetes-$version
bin=$work/bin

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
die() {
  printf 'kubernetes.sh: %s\n' "$*" >&2
  exit 1
}

# gentle runs a compiler so that it leaves the second core to others.
gentle() { nice -n 10 env CGO_ENABLED=0 GOFLAGS=-mod=mod "$@"; }

# compile MODULE-FOLDER PACKAGE OUTPUT [LDFLAGS]: one static binary, skipped when it is there.
compile() {
  local folder=$1 package=$2 output=$3 flags=${4:-}
  [[ -x $output ]] && return
  say "compiling ${output##*/}"
  (cd "$folder" && gentle go build -p 1 -trimpath -ldflags "-s -w $flags" -o "$output.part" "$package")
  mv "$output.part" "$output"
}

# module FOLDER MODULE@VERSION: a module of our own that requires just that one.
module() {
  local folder=$1 target=$2
  [[ -f $folder/go.sum ]] && return
  mkdir -p "$folder"
  printf 'module podium.test/%s\n\ngo 1.24\n\nrequire %s v%s\n' "${folder##*/}" "${target%@*}" "${target#*@v}" >"$folder/go.mod"
}

# kubernetes_module writes the go.mod that makes k8s.io/kubernetes buildable as a dependency: its staging modules
# are v0.0.0 there, with replacements by folders that its zip does not contain.
kubernetes_module() {
  local folder=$work/src/kubernetes origin staged
  [[ -f $folder/go.mod ]] && return
  mkdir -p "$folder"
  origin=$(cd "$work/src" && go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')
  [[ -f $origin ]] || die "k8s.io/kubernetes v$version cannot be had from the Go module proxy: check GOPROXY and the network"
  {
    printf 'module podium.test/kubernetes\n\ngo 1.24\n\ngodebug default=go1.24\n\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$version"
    sed -n 's/^\t\(k8s.io[^ ]*\) => .\/staging\/.*/\1/p' "$origin" | while read -r staged; do
      printf '\t%s => %s v0.%s\n' "$staged" "$staged" "${version#*.}"
    done
    printf ')\n'
  } >"$folder/go.mod.part"
  mv "$folder/go.mod.part" "$folder/go.mod"
}

# flannel_module copies the module, without two backends: one needs a module that is not on the proxy, the other cgo.
flannel_module() {
  local folder=$work/src/flannel origin
  [[ -f $folder/main.go ]] && return
  origin=$(cd "$work/src" && go mod download -json "github.com/flannel-io/flannel@v$flannel_version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  [[ -d $origin ]] || die "github.com/flannel-io/flannel v$flannel_version cannot be had from the Go module proxy: check GOPROXY and the network"
  rm -rf "$folder"
  cp -r --no-preserve=mode "$origin" "$folder.part"
  sed -i '/\/backend\/\(tencentvpc\|udp\)"/d' "$folder.part/main.go"
  mv "$folder.part" "$folder"
}

build() {
  mkdir -p "$bin" "$work/src"
  exec 8>"$work/build.lock"
  flock 8

  local stamp name
  stamp=$(printf -- "-X 'k8s.io/component-base/version.%s' " "gitVersion=v$version" "gitMajor=1" "gitMinor=${minor#*.}" "gitTreeState=clean")
  stamp+=$(printf -- "-X 'k8s.io/client-go/pkg/version.%s' " "gitVersion=v$version" "gitMajor=1" "gitMinor=${minor#*.}" "gitTreeState=clean")
  kubernetes_module
  for name in kubeadm kubelet kubectl kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do
    compile "$work/src/kubernetes" "k8s.io/kubernetes/cmd/$name" "$bin/$name" "$stamp"
  done

  module "$work/src/etcd" "go.etcd.io/etcd/server/v3@v$etcd_version"
  compile "$work/src/etcd" go.etcd.io/etcd/server/v3 "$bin/etcd"
  module "$work/src/coredns" "github.com/coredns/coredns@v$coredns_version"
  compile "$work/src/coredns" github.com/coredns/coredns "$bin/coredns"
  flannel_module
  compile "$work/src/flannel" . "$bin/flanneld" "-X 'github.com/flannel-io/flannel/pkg/version.Version=v$flannel_version'"
  module "$work/src/flannel-plugin" "github.com/containernetworking/plugins@v$flannel_plugin_version"
  compile "$work/src/flannel-plugin" github.com/containernetworking/plugins/plugins/meta/flannel "$bin/flannel"

  mkdir -p "$work/src/pause"
  printf 'module podium.test/pause\n\ngo 1.24\n' >"$work/src/pause/go.mod"
  cat >"$work/src/pause/main.go" <<'GO'
// pause holds a pod's namespaces, and reaps what is orphaned into it, until it is told to end.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
GO
  compile "$work/src/pause" . "$bin/pause"
}

case ${1:-} in
  build) build ;;
  *) die "usage: kubernetes.sh build|pack|path" ;;
esac
