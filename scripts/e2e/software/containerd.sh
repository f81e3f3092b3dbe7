# shellcheck shell=bash
# containerd.sh: containerd and runc from the Go module proxy, as the package containerd.io of Docker's archive, which is
# laid out as https://download.docker.com is. runc is C in part. Uses build.sh.

: "${work:?}" "${bin:?}" "${scratch:?}" "${served:?}"

# Of the series that the catalogue has as the default; Kubernetes 1.36 and 1.37 take it, and the kubelet of 1.35 too.
containerd_version=2.3.7

pack_containerd() {
  local folder=$work/src/containerd root=$scratch/containerd origin module=github.com/containerd/containerd/v2 name runc
  local docker=$served/docker/linux/debian codename index
  local repository=$docker/pool # package writes there
  origin=$(module_folder "$module@v$containerd_version")
  runc=$(cat "$origin/script/setup/runc-version") # what its makers test it with
  module "$folder" "$module@v$containerd_version"
  mkdir -p "$bin/containerd" "$repository/$(dpkg --print-architecture)"
  for name in containerd containerd-shim-runc-v2 ctr; do
    compile "$folder" "$module/cmd/$name" "$bin/containerd/$name" \
      "-X $module/version.Version=v$containerd_version -X $module/version.Package=containerd.io -X $module/version.Revision=podium"
  done
  build_runc "${runc#v}"

  mkdir -p "$root/usr/bin" "$root/usr/lib/systemd/system" "$root/etc/containerd" "$root/DEBIAN"
  cp "$bin/containerd"/* "$bin/runc" "$root/usr/bin/"
  sed 's,/usr/local/bin,/usr/bin,' "$origin/containerd.service" >"$root/usr/lib/systemd/system/containerd.service"
  echo 'disabled_plugins = ["cri"]' >"$root/etc/containerd/config.toml" # as Docker ships it
  echo /etc/containerd/config.toml >"$root/DEBIAN/conffiles"
  package containerd.io "$containerd_version-1" "$root" libc6 "An open and reliable container runtime"

  for codename in bookworm trixie; do # one static package for both
    index=stable/binary-$(dpkg --print-architecture)/Packages
    mkdir -p "$docker/dists/$codename/${index%/*}"
    (cd "$docker" && dpkg-scanpackages --multiversion pool 2>/dev/null >"dists/$codename/$index")
    sign_release "$docker/dists/$codename" "$index" "Suite: $codename" "Codename: $codename" "Components: stable"
    cp "$docker/dists/$codename/Release.key" "$docker/gpg"
  done
}

# build_runc VERSION: static, with seccomp, as its own releases are.
build_runc() {
  local folder=$work/src/runc
  packages gcc libc6-dev pkg-config libseccomp-dev
  module "$folder" "github.com/opencontainers/runc@v$1"
  [[ ! -x $bin/runc || $folder/go.mod -nt $bin/runc ]] || return 0
  say "compiling runc"
  (cd "$folder" && gentle env CGO_ENABLED=1 go build -p 1 -trimpath -tags "seccomp urfave_cli_no_docs netgo osusergo" \
    -ldflags "-s -w -extldflags -static -X main.version=$1" -o "$bin/runc.part" github.com/opencontainers/runc)
  mv "$bin/runc.part" "$bin/runc"
}
