# shellcheck shell=bash
# etcd.sh: etcd and etcdctl of the versions that go with Kubernetes 1.36 and 1.37, packed as GitHub serves releases. Uses
# build.sh.

: "${work:?}" "${bin:?}" "${served:?}" "${scratch:?}"

pack_etcd() {
  local release
  for release in 3.6.8 3.7.0; do pack_etcd_release "$release"; done
}

pack_etcd_release() {
  local release=$1 arch name folder
  arch=$(dpkg --print-architecture)
  name=etcd-v$release-linux-$arch
  folder=$served/github/etcd-io/etcd/releases/download/v$release
  mkdir -p "$bin/etcd-$release" "$folder" "$scratch/$name"
  module "$work/src/etcd-$release" "go.etcd.io/etcd/server/v3@v$release"
  compile "$work/src/etcd-$release" go.etcd.io/etcd/server/v3 "$bin/etcd-$release/etcd"
  module "$work/src/etcdctl-$release" "go.etcd.io/etcd/etcdctl/v3@v$release"
  compile "$work/src/etcdctl-$release" go.etcd.io/etcd/etcdctl/v3 "$bin/etcd-$release/etcdctl"
  cp "$bin/etcd-$release/etcd" "$bin/etcd-$release/etcdctl" "$scratch/$name/"
  tar -C "$scratch" -czf "$folder/$name.tar.gz" "$name"
  (cd "$folder" && sha256sum "$name.tar.gz" >SHA256SUMS)
}
