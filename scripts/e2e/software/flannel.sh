# shellcheck shell=bash
# shellcheck disable=SC2154 # kubernetes.sh says where things lie
# flannel: its image, its CNI plugin's, and its manifest.

# The catalogue's.
flannel_version=0.28.9
# The last release of the CNI plugins that still contains flannel's; its own module is not on the proxy.
flannel_plugin_version=0.9.1

pack_flannel() {
  local root=$scratch/root
  build_flannel
  network_tools "$root-base"
  install -D "$bin/flanneld" "$root/opt/bin/flanneld"
  install -D "$bin/install-conf" "$root/opt/bin/install-conf"
  image flannel-io/flannel "v$flannel_version" "$root" /opt/bin/flanneld "$root-base"
  rm -rf "$root"
  install -D "$bin/flannel" "$root/flannel"
  image flannel-io/flannel-cni-plugin "$(flannel_plugin_tag)" "$root" /flannel "$root-base"
  rm -rf "$root" "$root-base"

  install -D -m 0644 "$work/src/flannel/Documentation/kube-flannel.yml" \
    "$served/github/flannel-io/flannel/releases/download/v$flannel_version/kube-flannel.yml"
}

build_flannel() {
  mkdir -p "$bin" "$work/src"
  flannel_module
  compile "$work/src/flannel" . "$bin/flanneld" "-X 'github.com/flannel-io/flannel/pkg/version.Version=v$flannel_version'"
  compile "$work/src/flannel" ./cmd/install_conf "$bin/install-conf"
  module "$work/src/flannel-plugin" "github.com/containernetworking/plugins@v$flannel_plugin_version"
  compile "$work/src/flannel-plugin" github.com/containernetworking/plugins/plugins/meta/flannel "$bin/flannel"
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

flannel_plugin_tag() { sed -n 's,.*image: ghcr.io/flannel-io/flannel-cni-plugin:,,p' "$work/src/flannel/Documentation/kube-flannel.yml" | head -n 1; }
