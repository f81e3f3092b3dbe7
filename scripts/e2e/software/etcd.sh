# shellcheck shell=bash
# etcd.sh: etcd and etcdctl of the version that goes with Kubernetes, packed as GitHub serves the release. Uses build.sh.

: "${work:?}" "${bin:?}" "${served:?}" "${scratch:?}"

pack_etcd() {
  local release=3.6.5 arch name folder
  arch=$(dpkg --print-architecture)
  name=etcd-v$release-linux-$arch
  folder=$served/github/etcd-io/etcd/releases/download/v$release
  mkdir -p "$bin/etcd-$release" "$folder" "$scratch/$name"
  module "$work/src/etcd-release" "go.etcd.io/etcd/server/v3@v$release"
  compile "$work/src/etcd-release" go.etcd.io/etcd/server/v3 "$bin/etcd-$release/etcd"
  module "$work/src/etcdctl" "go.etcd.io/etcd/etcdctl/v3@v$release"
  compile "$work/src/etcdctl" go.etcd.io/etcd/etcdctl/v3 "$bin/etcd-$release/etcdctl"
  cp "$bin/etcd-$release/etcd" "$bin/etcd-$release/etcdctl" "$scratch/$name/"
  tar -C "$scratch" -czf "$folder/$name.tar.gz" "$name"
  (cd "$folder" && sha256sum "$name.tar.gz" >SHA256SUMS)
}
