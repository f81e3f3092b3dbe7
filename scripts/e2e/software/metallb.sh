# shellcheck shell=bash
# metallb.sh: MetalLB's controller and speaker from the Go module proxy, as the images of quay.io, and the manifest that
# lies in the module. Uses build.sh's functions.

: "${work:?}" "${bin:?}" "${served:?}"

pack_metallb() {
  local version=0.16.2 folder=$work/src/metallb origin name
  origin=$(module_folder "go.universe.tf/metallb@v$version")
  metallb_module "$origin" "$folder"
  for name in controller speaker; do
    compile "$folder" "./$name" "$bin/metallb-$name"
    one "metallb/$name" "v$version" "$bin/metallb-$name" "/$name"
  done
  install -D -m 0644 "$origin/config/manifests/metallb-native.yaml" \
    "$served/github/metallb/metallb/raw/v$version/config/manifests/metallb-native.yaml"
}

# metallb_module ORIGIN FOLDER: copies the module without its way of speaking BGP by frr-k8s, whose module is not on the
# proxy. Addresses announced by ARP do not need it.
metallb_module() {
  local origin=$1 folder=$2
  [[ -f $folder/go.mod ]] && return
  rm -rf "$folder.part"
  cp -r --no-preserve=mode "$origin" "$folder.part"
  rm -rf "$folder.part/internal/bgp/frrk8s" "$folder.part/internal/k8s/controllers/frrk8s_config_controller.go"
  sed -i -e '/frrv1beta1/d' -e '/^\tif cfg.WithFRRK8s {$/,/^\t}$/d' "$folder.part/internal/k8s/k8s.go"
  sed -i -e '/\/internal\/bgp\/frrk8s"$/d' -e '/return bgpfrrk8s\./s/return .*/return nil/' "$folder.part/speaker/bgp_controller.go"
  sed -i '/github.com\/metallb\/frr-k8s /d' "$folder.part/go.mod"
  mv "$folder.part" "$folder"
}
