# shellcheck shell=bash
# etcd.sh: etcd and etcdctl of the versions that go with Kubernetes 1.33 and 1.34, packed as GitHub serves releases. Uses
# build.sh.

: "${work:?}" "${bin:?}" "${served:?}" "${scratch:?}"

pack_etcd() {
  local release
  for release in 3.6.5 3.5.24; do pack_etcd_release "$release"; done
}

pack_etcd_release() {
  local release=$1 arch name folder
  arch=$(dpkg --print-architecture)
  name=etcd-v$release-linux-$arch
  folder=$served/github/etcd-io/etcd/releases/download/v$release
  mkdir -p "$bin/etcd-$release" "$folder" "$scratch/$name"
  module "$work/src/etcd-$release" "go.etcd.io/etcd/server/v3@v$release"
  compile "$work/src/etcd-$release" go.etcd.io/etcd/server/v3 "$bin/etcd-$release/etcd"
  # Always the newer etcdctl: a module that the older one needs has no record at sum.golang.org.
  module "$work/src/etcdctl" go.etcd.io/etcd/etcdctl/v3@v3.6.5
  compile "$work/src/etcdctl" go.etcd.io/etcd/etcdctl/v3 "$bin/etcd-3.6.5/etcdctl"
  cp "$bin/etcd-$release/etcd" "$bin/etcd-3.6.5/etcdctl" "$scratch/$name/"
  tar -C "$scratch" -czf "$folder/$name.tar.gz" "$name"
  (cd "$folder" && sha256sum "$name.tar.gz" >SHA256SUMS)
}
