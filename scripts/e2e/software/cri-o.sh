# shellcheck shell=bash
# cri-o.sh: CRI-O of the Kubernetes' minor version from the Go module proxy, as the package of its own repository
# (https://github.com/cri-o/packaging), but for what lies in that one beside it: conmon and runc are Debian's. It is
# built without cgo, so without seccomp. Uses kubernetes.sh's functions.

: "${work:?}" "${bin:?}" "${scratch:?}" "${served:?}" "${minor:?}"

pack_cri_o() {
  local version=$minor.0 folder=$work/src/cri-o root=$scratch/cri-o
  local repository=$served/cri-o/stable:/v$minor/deb # package and sign write there
  command -v gcc >/dev/null || die "CRI-O's pinns is C: apt-get install gcc libc6-dev"
  if [[ ! -f $folder/go.mod ]]; then
    rm -rf "$folder.part"
    cp -r --no-preserve=mode "$(module_folder "github.com/cri-o/cri-o@v$version")" "$folder.part"
    mv "$folder.part" "$folder"
  fi
  if [[ ! -x $bin/crio ]]; then
    say "compiling crio"
    (cd "$folder" && gentle go build -p 1 -trimpath -ldflags "-s -w" -o "$bin/crio.part" \
      -tags "containers_image_openpgp containers_image_ostree_stub exclude_graphdriver_btrfs" ./cmd/crio)
    mv "$bin/crio.part" "$bin/crio"
  fi
  [[ -x $bin/pinns ]] || gcc -O2 -std=gnu99 -static -o "$bin/pinns" "$folder"/pinns/src/*.c

  mkdir -p "$root"/etc/{crio/crio.conf.d,cni/net.d} "$root"/usr/{bin,lib/systemd/system,libexec/crio} "$root/var/lib/crio" \
    "$repository/$(dpkg --print-architecture)"
  install "$bin/crio" "$bin/pinns" "$root/usr/bin/"
  ln -s /usr/bin/conmon "$root/usr/libexec/crio/conmon"
  ln -s /usr/sbin/runc "$root/usr/libexec/crio/runc"
  sed 's,/usr/local/bin,/usr/bin,' "$folder/contrib/systemd/crio.service" >"$root/usr/lib/systemd/system/crio.service"
  cp "$folder/contrib/cni/11-crio-ipv4-bridge.conflist" "$root/etc/cni/net.d/10-crio-bridge.conflist.disabled"
  echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$root/etc/crio/policy.json"
  cat >"$root/etc/crio/crio.conf.d/10-crio.conf" <<'END'
[crio.image]
signature_policy = "/etc/crio/policy.json"

[crio.runtime]
default_runtime = "runc"

[crio.runtime.runtimes.runc]
runtime_path = "/usr/libexec/crio/runc"
runtime_root = "/run/runc"
monitor_path = "/usr/libexec/crio/conmon"
END
  package cri-o "$version-1.1" "$root" "iptables, conmon, runc" "Container runtime for Kubernetes"
  sign
}
