#!/usr/bin/env bash
# kubernetes.sh: a real Kubernetes for machines that reach only the Go module proxy and Debian's packages.
#
# usage: kubernetes.sh build            compile the programs (8 minutes on one core the first time, then cached)
#        kubernetes.sh pack             build, then packages, signed apt repository and container images
#        kubernetes.sh hello            pack one small container image, at once; it listens on port 8080
#        kubernetes.sh also VERSION     build another Kubernetes, such as 1.33.13, and serve it beside that one
#        kubernetes.sh more NAME...     pack further software: the files in software/, each with a function pack_NAME
#        kubernetes.sh serve ADDRESS    serve them on ADDRESS, such as 198.18.255.2:5000, until it is ended; and Debian's
#                                       archive through a cache
#        kubernetes.sh env ADDRESS      print the PODIUM_MIRROR_* variables that point there, for eval
#
# Everything lies below ${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-~/.cache}/podium-e2e}/kubernetes-VERSION; what is served lies
# in the folder of the first version, one apt repository a minor, the images of all. The packages have the names and the
# layout of pkgs.k8s.io, the images those of registry.k8s.io and ghcr.io, so that the guest scripts run unchanged with
# mirrors. Left out: cri-tools, which no Go module proxy serves completely.
set -euo pipefail

# The newest patch of the newest minor whose kubelet still takes cgroup v1 without being asked.
first=${PODIUM_E2E_KUBERNETES:-1.34.4}
# The newest one that the proxy has. It stands in for whichever podium asks for.
flannel_version=0.28.4
# Of the packages: https://pkgs.k8s.io has kubernetes-cni 1.7.1 for 1.34.
plugins_version=1.7.1
# The last release of the CNI plugins that still contains flannel's; its own module is not on the proxy.
flannel_plugin_version=0.9.1

cache=${PODIUM_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/podium-e2e}
archive=${PODIUM_E2E_APT:-http://deb.debian.org/debian}
served=$cache/kubernetes-$first/served # what mirror serves
registry=$served/registry
keyring=$cache/kubernetes-$first/gnupg # one key for all repositories, as pkgs.k8s.io has it
tools=$cache/kubernetes-$first/tools.tar

# of VERSION: the Kubernetes that the functions below are about, and what its kubeadm asks for:
# cmd/kubeadm/app/constants/constants.go of each minor.
of() {
  version=$1
  minor=${version%.*}
  work=$cache/kubernetes-$version
  bin=$work/bin
  repository=$served/kubernetes/core:/stable:/v$minor/deb
  case $minor in
    # The module proxy has no etcd 3.5.24: the next one that it has whole bears the image's name.
    1.33) etcd_version=3.5.33 etcd_tag=3.5.24-0 coredns_version=1.12.0 pause_version=3.10 ;;
    *) etcd_version=3.6.5 etcd_tag=3.6.5-0 coredns_version=1.12.1 pause_version=3.10.1 ;;
  esac
}
of "$first"

say() { printf '%s  %s\n' "$(date +%T)" "$*" >&2; }
die() {
  printf 'kubernetes.sh: %s\n' "$*" >&2
  exit 1
}

# gentle runs a compiler so that it leaves the second core to others.
gentle() { nice -n 10 env CGO_ENABLED=0 GOFLAGS=-mod=mod "$@"; }

# compile MODULE-FOLDER PACKAGE OUTPUT [LDFLAGS]: one static binary, skipped when it is there and no older than its module.
compile() {
  local folder=$1 package=$2 output=$3 flags=${4:-}
  [[ ! -x $output || $folder/go.mod -nt $output ]] || return 0
  say "compiling ${output##*/}"
  (cd "$folder" && gentle go build -p 1 -trimpath -ldflags "-s -w $flags" -o "$output.part" "$package")
  mv "$output.part" "$output"
}

# module FOLDER MODULE@VERSION: a module of our own that requires just that one.
module() {
  local folder=$1 target=$2
  [[ -f $folder/go.sum ]] && grep -q -F "${target%@*} ${target#*@}" "$folder/go.mod" && return
  rm -rf "$folder"
  mkdir -p "$folder"
  printf 'module podium.test/%s\n\ngo 1.24\n\nrequire %s v%s\n' "${folder##*/}" "${target%@*}" "${target#*@v}" >"$folder/go.mod"
}

# module_folder MODULE@VERSION: where the files of a module lie, for what is not compiled.
module_folder() {
  local folder
  mkdir -p "$work/src"
  folder=$(cd "$work/src" && go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  [[ -d $folder ]] || die "$1 cannot be had from the Go module proxy: check GOPROXY and the network"
  printf '%s\n' "$folder"
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
  build_kubernetes
  build_network
}

# build_kubernetes: what every version has of its own.
build_kubernetes() {
  mkdir -p "$bin" "$work/src"
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

  small pause <<'GO'
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
}

# build_network: flannel and the CNI plugins, one version for all.
build_network() {
  local name
  mkdir -p "$bin/cni" "$work/src"
  flannel_module
  compile "$work/src/flannel" . "$bin/flanneld" "-X 'github.com/flannel-io/flannel/pkg/version.Version=v$flannel_version'"
  module "$work/src/plugins" "github.com/containernetworking/plugins@v$plugins_version"
  for name in main/{bridge,dummy,host-device,ipvlan,loopback,macvlan,ptp,tap,vlan} ipam/{dhcp,host-local,static} \
    meta/{bandwidth,firewall,portmap,sbr,tuning,vrf}; do
    compile "$work/src/plugins" "github.com/containernetworking/plugins/plugins/$name" "$bin/cni/${name#*/}"
  done
  module "$work/src/flannel-plugin" "github.com/containernetworking/plugins@v$flannel_plugin_version"
  compile "$work/src/flannel-plugin" github.com/containernetworking/plugins/plugins/meta/flannel "$bin/flannel"
}

# small NAME <SOURCE: a program of one file.
small() {
  mkdir -p "$work/src/$1"
  [[ -f $work/src/$1/go.mod ]] || printf 'module podium.test/%s\n\ngo 1.24\n' "$1" >"$work/src/$1/go.mod"
  cat >"$work/src/$1/main.go"
  compile "$work/src/$1" . "$bin/$1"
}

# hello makes the image that tests run.
hello() {
  mkdir -p "$bin" "$registry"
  small hello <<'GO'
// hello answers every request with the name of the machine it runs on. With arguments it prints what those URLs answer.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	client := http.Client{Timeout: 3 * time.Second}
	for _, url := range os.Args[1:] {
		answer, err := client.Get(url)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
			log.Fatal(err)
		}
		answer.Body.Close()
	}
	if len(os.Args) > 1 {
		return
	}
	name, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hello from %s\n", name) })
	log.Fatal(http.ListenAndServe(":8080", nil))
}
GO
  one podium/hello 1 "$bin/hello" /hello
}

# package NAME VERSION FOLDER DEPENDS DESCRIPTION: one .deb of a folder's files.
package() {
  local name=$1 release=$2 folder=$3 depends=$4 about=$5
  mkdir -p "$folder/DEBIAN"
  {
    printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: podium end-to-end run <root@localhost>\n' \
      "$name" "$release" "$(dpkg --print-architecture)"
    [[ -z $depends ]] || printf 'Depends: %s\n' "$depends"
    printf 'Description: %s\n' "$about"
  } >"$folder/DEBIAN/control"
  dpkg-deb --root-owner-group -Znone --build "$folder" "$repository/$(dpkg --print-architecture)/" >/dev/null
}

# packages makes the .deb files as https://github.com/kubernetes/release (cmd/krel/templates/latest) describes them.
packages() {
  local root=$work/packages unit=usr/lib/systemd/system
  say "packing packages"
  rm -rf "$root"
  mkdir -p "$root"/{kubeadm,kubelet,kubectl}/usr/bin "$root/kubeadm/$unit/kubelet.service.d" "$root/kubelet/$unit" \
    "$root/kubelet/etc/default" "$root/kubelet/etc/kubernetes/manifests" "$root/kubelet/var/lib/kubelet" "$root/kubelet/DEBIAN" "$root/cni/opt/cni/bin"
  for name in kubeadm kubelet kubectl; do cp "$bin/$name" "$root/$name/usr/bin/"; done
  cp "$cache/kubernetes-$first"/bin/cni/* "$root/cni/opt/cni/bin/"
  : >"$root/kubelet/etc/kubernetes/manifests/.kubelet-keep"
  : >"$root/kubelet/var/lib/kubelet/.kubelet-keep"
  echo KUBELET_EXTRA_ARGS= >"$root/kubelet/etc/default/kubelet"
  echo /etc/default/kubelet >"$root/kubelet/DEBIAN/conffiles"
  cat >"$root/kubelet/$unit/kubelet.service" <<'END'
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
END
  cat >"$root/kubeadm/$unit/kubelet.service.d/10-kubeadm.conf" <<'END'
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
END
  package kubelet "$version-1.1" "$root/kubelet" "kubernetes-cni (>= 1.2.0), mount, util-linux" "Node agent for Kubernetes clusters"
  package kubeadm "$version-1.1" "$root/kubeadm" "" "Command-line utility for administering a Kubernetes cluster"
  package kubectl "$version-1.1" "$root/kubectl" "" "Command-line utility for interacting with a Kubernetes cluster"
  package kubernetes-cni "$plugins_version-1.1" "$root/cni" "" "Binaries required to provision kubernetes container networking"
  rm -rf "$root"
}

# sign makes the index of the repository, signed by a key of its own.
sign() {
  export GNUPGHOME=$keyring
  if [[ ! -d $keyring ]]; then
    mkdir -m 700 "$keyring"
    gpg --batch --quiet --passphrase '' --quick-generate-key "podium end-to-end run" ed25519 sign 1y
  fi
  (
    cd "$repository"
    rm -f InRelease Release Release.gpg
    dpkg-scanpackages --multiversion . >Packages 2>/dev/null
    {
      printf 'Origin: podium end-to-end run\nArchitectures: %s\nDate: %s\nSHA256:\n' "$(dpkg --print-architecture)" "$(LC_ALL=C date -uR)"
      printf ' %s %s Packages\n' "$(sha256sum <Packages | cut -d ' ' -f 1)" "$(stat -c %s Packages)"
    } >Release
    gpg --batch --quiet --yes --clearsign --output InRelease Release
    gpg --batch --quiet --armor --export >Release.key
  )
  gpgconf --kill all
}

# image NAME TAG FOLDER ENTRYPOINT: one container image of one layer, as a registry serves it.
image() {
  local name=$1 tag=$2 folder=$3 entry=$4 layer config
  mkdir -p "$registry/blobs" "$registry/manifests/$name"
  tar -C "$folder" --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0 -cf "$work/layer.part" .
  layer=$(blob "$work/layer.part")
  printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["%s"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(dpkg --print-architecture)" "$entry" "$layer" >"$work/config.part"
  config=$(blob "$work/config.part")
  printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"%s","digest":"sha256:%s","size":%s}]}' \
    application/vnd.oci.image.manifest.v1+json \
    application/vnd.oci.image.config.v1+json "$config" "$(stat -c %s "$registry/blobs/$config")" \
    application/vnd.oci.image.layer.v1.tar "$layer" "$(stat -c %s "$registry/blobs/$layer")" >"$registry/manifests/$name/$tag"
}

# blob FILE: moves it to where it is found by its digest, which it prints.
blob() {
  local digest
  digest=$(sha256sum <"$1" | cut -d ' ' -f 1)
  mv "$1" "$registry/blobs/$digest"
  echo "$digest"
}

# network_tools FOLDER: a tree with what kube-proxy and flannel call: iptables, and a shell.
network_tools() {
  [[ -f $tools ]] || mmdebstrap --quiet --variant=extract --mode=root --include=iptables,nftables,conntrack,ipset,busybox-static,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/*' \
    "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$tools.part" "$archive"
  [[ -f $tools ]] || mv "$tools.part" "$tools"
  mkdir -p "$1"
  tar -C "$1" -xf "$tools"
  local tool
  for tool in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sf xtables-nft-multi "$1/usr/sbin/$tool"
  done
  for tool in sh cp cat ls sleep mkdir ip; do
    [[ -e $1/bin/$tool ]] || ln -s busybox "$1/bin/$tool"
  done
  mkdir -p "$1/run" "$1/etc/kube-flannel"
}

# images packs those of one version of Kubernetes.
images() {
  local root=$work/root name
  say "packing images of $version"
  for name in kube-apiserver kube-controller-manager kube-scheduler; do
    one "$name" "v$version" "$bin/$name" "/usr/local/bin/$name"
  done
  one coredns/coredns "v$coredns_version" "$bin/coredns" /coredns
  one etcd "$etcd_tag" "$bin/etcd" /usr/local/bin/etcd
  one pause "$pause_version" "$bin/pause" /pause

  rm -rf "$root"
  network_tools "$root"
  install -D "$bin/kube-proxy" "$root/usr/local/bin/kube-proxy"
  image kube-proxy "v$version" "$root" /usr/local/bin/kube-proxy
  rm -rf "$root"
}

# flannel packs the one flannel that all versions take.
flannel() {
  local root=$work/root
  rm -rf "$root"
  network_tools "$root"
  install -D "$bin/flanneld" "$root/opt/bin/flanneld"
  image flannel-io/flannel "v$flannel_version" "$root" /opt/bin/flanneld
  rm "$root/opt/bin/flanneld"
  install -D "$bin/flannel" "$root/flannel"
  image flannel-io/flannel-cni-plugin "$(flannel_plugin_tag)" "$root" /flannel
  rm -rf "$root"

  mkdir -p "$served/github/flannel-io/flannel"
  cp "$work/src/flannel/Documentation/kube-flannel.yml" "$served/github/flannel-io/flannel/"
}

# one NAME TAG PROGRAM PATH: an image of one static program.
one() {
  rm -rf "$work/root"
  install -D "$3" "$work/root$4"
  mkdir -p "$work/root/tmp"
  cp --parents -L /etc/ssl/certs/ca-certificates.crt "$work/root" 2>/dev/null || true
  image "$1" "$2" "$work/root" "$4"
  rm -rf "$work/root"
}

flannel_plugin_tag() { sed -n 's,.*image: ghcr.io/flannel-io/flannel-cni-plugin:,,p' "$work/src/flannel/Documentation/kube-flannel.yml" | head -n 1; }

pack() {
  build
  # What is served depends on this script too.
  local stamp
  stamp=$(sha256sum <"${BASH_SOURCE[0]}")
  [[ ! -f $served/done || $(cat "$served/done") != "$stamp" ]] || return 0
  mkdir -p "$repository/$(dpkg --print-architecture)"
  packages
  sign
  images
  hello
  flannel
  echo "$stamp" >"$served/done"
}

# also VERSION: another minor's repository and images beside the first one's.
also() {
  pack
  of "$1"
  [[ $1 == *.*.* && $repository != "$served/kubernetes/core:/stable:/v${first%.*}/deb" ]] ||
    die "also takes a version of another minor than $first, such as 1.33.13"
  local stamp
  mkdir -p "$work"
  build_kubernetes
  stamp=$(sha256sum <"${BASH_SOURCE[0]}")
  [[ ! -f $served/done-v$minor || $(cat "$served/done-v$minor") != "$1 $stamp" ]] || return 0
  mkdir -p "$repository/$(dpkg --print-architecture)" "$registry"
  packages
  sign
  images
  echo "$1 $stamp" >"$served/done-v$minor"
}

# more NAME: calls pack_NAME of software/NAME.sh, which has this script's functions to build with, unless what it made
# is there already.
more() {
  local name=$1 file stamp
  file=$(dirname "${BASH_SOURCE[0]}")/software/$name.sh
  [[ -f $file ]] || die "no software is called $name: see $(dirname "$file")"
  stamp=$(cat "${BASH_SOURCE[0]}" "$file" | sha256sum)
  [[ ! -f $served/done-$name || $(cat "$served/done-$name") != "$stamp" ]] || return 0
  mkdir -p "$bin" "$registry" "$work/src"
  # shellcheck source=/dev/null
  . "$file"
  "pack_${name//-/_}"
  echo "$stamp" >"$served/done-$name"
}

serve() {
  local source
  mkdir -p "$served" "$bin"
  source=$(dirname "${BASH_SOURCE[0]}")/mirror
  (cd "$source" && CGO_ENABLED=0 nice -n 10 go build -o "$bin/mirror" .)
  exec "$bin/mirror" -dir "$served" -listen "$1" -archive "$archive" -cache "$cache/archive"
}

mirror_env() {
  local at=http://$1
  printf 'export PODIUM_MIRROR_%s=%q\n' KUBERNETES "$at/kubernetes" REGISTRY "$at" GITHUB "$at/github" HELM "$at/helm" \
    APT "$at/debian" APT_SECURITY "$at/debian-security"
}

case ${1:-} in
  build | pack | also | hello | more) # one at a time in one cache
    mkdir -p "$work"
    exec 8>"$work/lock"
    flock 8
    ;;
esac
case ${1:-} in
  build) build ;;
  pack) pack ;;
  hello) hello ;;
  also) also "${2:?kubernetes.sh also VERSION}" ;;
  more)
    shift
    for name in "$@"; do more "$name"; done
    ;;
  serve) serve "${2:?kubernetes.sh serve ADDRESS:PORT}" ;;
  env) mirror_env "${2:?kubernetes.sh env ADDRESS:PORT}" ;;
  *) die "usage: kubernetes.sh build|pack|also VERSION|hello|more NAME...|serve ADDRESS|env ADDRESS" ;;
esac
