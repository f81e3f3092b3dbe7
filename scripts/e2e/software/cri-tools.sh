# shellcheck shell=bash
# cri-tools.sh: crictl from the Go module proxy, as the package that pkgs.k8s.io has beside kubeadm. Uses kubernetes.sh's
# functions.

: "${work:?}" "${bin:?}" "${scratch:?}" "${minor:?}"

pack_cri_tools() {
  local version=1.36.0 folder=$work/src/cri-tools root=$scratch/cri-tools # one for all: crictl asks any of these kubelets' runtimes
  module "$folder" "sigs.k8s.io/cri-tools@v$version"
  compile "$folder" sigs.k8s.io/cri-tools/cmd/crictl "$bin/crictl" "-X sigs.k8s.io/cri-tools/pkg/version.Version=v$version"
  install -D "$bin/crictl" "$root/usr/bin/crictl"
  # shellcheck disable=SC2154 # set by kubernetes.sh
  mkdir -p "$repository/$(dpkg --print-architecture)"
  package cri-tools "$version-1.1" "$root" "" "Command-line utility for interacting with a container runtime"
  sign
}
