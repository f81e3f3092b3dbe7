# shellcheck shell=bash
# shellcheck disable=SC2154 # kubernetes.sh says which version, and where things lie
# Kubernetes itself: its programs, their packages in a repository of the minor's own, and the images of its kubeadm.

# Of the packages: https://pkgs.k8s.io has kubernetes-cni 1.9.1 for 1.36.
plugins_version=1.9.1

pack_kubernetes() {
  local etcd_tag etcd_version coredns_version pause_version
  images_of_kubeadm
  build_kubernetes
  build_plugins
  mkdir -p "$repository/$(dpkg --print-architecture)"
  packages_of_kubernetes
  sign
  images
}

# images_of_kubeadm: which ones it asks for is written in its source.
images_of_kubeadm() {
  local constants
  constants=$(module_folder "k8s.io/kubernetes@v$version")/cmd/kubeadm/app/constants/constants.go
  constant() { sed -n "s/^\t$1 = \"v\?\(.*\)\"\$/\1/p" "$constants"; }
  etcd_tag=$(constant DefaultEtcdVersion)
  coredns_version=$(constant CoreDNSVersion)
  pause_version=$(constant PauseVersion)
  etcd_version=${etcd_tag%-*}
  # The module proxy does not have all of its modules: a later patch bears the name.
  [[ $etcd_version != 3.6.6 ]] || etcd_version=3.6.8
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
    printf 'module podium.test/kubernetes\n\n%s\n\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$(grep -E '^(go|godebug) ' "$origin")" "$version"
    sed -n 's/^\t\(k8s.io[^ ]*\) => .\/staging\/.*/\1/p' "$origin" | while read -r staged; do
      printf '\t%s => %s v0.%s\n' "$staged" "$staged" "${version#*.}"
    done
    printf ')\n'
  } >"$folder/go.mod.part"
  mv "$folder/go.mod.part" "$folder/go.mod"
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
  build_coredns

  small pause <<'GO'
// pause holds a pod's namespaces, and reaps what is orphaned into it, until it is told to end. With -v it ends at once:
// that is how kubeadm upgrade tries whether a cluster runs pods.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-v" {
		fmt.Println("pause")
		return
	}
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

# build_coredns: with the plugins that kubeadm's Corefile names, and those of lessons. All of them need the libraries of
# several clouds, and nearly twice as many packages to compile.
build_coredns() {
  local folder=$work/src/coredns name
  module "$folder" "github.com/coredns/coredns@v$coredns_version"
  {
    printf 'package main\n\nimport (\n\t"github.com/coredns/coredns/coremain"\n'
    for name in cache debug errors forward health hosts kubernetes log loadbalance loop metrics ready reload rewrite template; do
      printf '\t_ "github.com/coredns/coredns/plugin/%s"\n' "$name"
    done
    printf ')\n\nfunc main() { coremain.Run() }\n'
  } >"$folder/main.go"
  compile "$folder" . "$bin/coredns"
}

# build_plugins: the CNI plugins of the package kubernetes-cni, one version for all.
build_plugins() {
  local name folder=$cache/kubernetes-$first
  mkdir -p "$folder/bin/cni" "$folder/src"
  module "$folder/src/plugins" "github.com/containernetworking/plugins@v$plugins_version"
  for name in main/{bridge,dummy,host-device,ipvlan,loopback,macvlan,ptp,tap,vlan} ipam/{dhcp,host-local,static} \
    meta/{bandwidth,firewall,portmap,sbr,tuning,vrf}; do
    compile "$folder/src/plugins" "github.com/containernetworking/plugins/plugins/$name" "$folder/bin/cni/${name#*/}"
  done
}

# packages_of_kubernetes makes the .deb files as https://github.com/kubernetes/release (cmd/krel/templates/latest) describes them.
packages_of_kubernetes() {
  local root=$scratch/packages unit=usr/lib/systemd/system
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

# images packs those of one version of Kubernetes.
images() {
  local root=$scratch/root name
  say "packing images of $version"
  for name in kube-apiserver kube-controller-manager kube-scheduler; do
    one "$name" "v$version" "$bin/$name" "/usr/local/bin/$name"
  done
  one coredns/coredns "v$coredns_version" "$bin/coredns" /coredns
  one etcd "$etcd_tag" "$bin/etcd" /usr/local/bin/etcd
  one pause "$pause_version" "$bin/pause" /pause

  rm -rf "$root"
  network_tools "$root-base"
  install -D "$bin/kube-proxy" "$root/usr/local/bin/kube-proxy"
  image kube-proxy "v$version" "$root" /usr/local/bin/kube-proxy "$root-base"
  rm -rf "$root" "$root-base"
}
