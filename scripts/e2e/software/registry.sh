# shellcheck shell=bash
# shellcheck disable=SC2154 # kubernetes.sh says where things lie
# registry.sh: Debian's docker-registry as the image registry of docker.io.

pack_registry() {
  local root=$scratch/registry
  mmdebstrap --quiet --variant=extract --mode=root --include=docker-registry,busybox-static \
    --dpkgopt='path-exclude=/usr/share/*' \
    "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$scratch/registry.tar" "$mirror"
  mkdir -p "$root"/{bin,tmp,var/lib/registry,etc/distribution}
  tar -C "$scratch" -xf "$scratch/registry.tar" ./usr/bin/docker-registry ./bin/busybox
  install "$scratch/usr/bin/docker-registry" "$root/bin/registry"
  install "$scratch/bin/busybox" "$root/bin/busybox"
  ln -s busybox "$root/bin/sh"
  cat >"$root/etc/distribution/config.yml" <<'END'
version: 0.1
storage: {filesystem: {rootdirectory: /var/lib/registry}, delete: {enabled: true}}
http: {addr: ":5000"}
END
  printf '#!/bin/sh\nexec registry serve /etc/distribution/config.yml\n' >"$root/entrypoint.sh"
  chmod +x "$root/entrypoint.sh"
  image library/registry 3 "$root" /entrypoint.sh
  rm -rf "$root" "$scratch/registry.tar" "$scratch/usr" "$scratch/bin"
}
