# shellcheck shell=bash
# shellcheck disable=SC2154 # kubernetes.sh says where things lie
# The four images of labs/msa, with the names it asks Docker Hub for, made of Debian's packages: one tree with all four
# programs, so that a node fetches one layer. Valkey is played by the Redis it was forked from.

: "${work:?}"

pack_msa() {
  local root=$scratch/root-msa kustomization=${BASH_SOURCE[0]%/*}/../../../labs/msa/shop/kustomization.yaml
  say "packing the shop's images"
  rm -rf "$root" "$scratch/msa.tar"
  mmdebstrap --quiet --variant=extract --mode=root --include=python3,redis-server,nats-server,nginx-light,busybox-static \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$scratch/msa.tar" "$mirror"
  mkdir -p "$root"
  tar -C "$root" --exclude './dev/*' -xf "$scratch/msa.tar"
  rm "$scratch/msa.tar"
  [[ -e $root/usr/bin/python3 ]] || ln -s python3.11 "$root/usr/bin/python3"
  ln -s redis-server "$root/usr/bin/valkey-server"
  [[ -e $root/bin/sh ]] || ln -s busybox "$root/bin/sh"
  # As the official image has it, where no maintainer script has run.
  printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\n' >"$root/etc/passwd"
  printf 'root:x:0:\nwww-data:x:33:\n' >"$root/etc/group"
  mkdir -p "$root"/{data,run,tmp,var/log/nginx,var/lib/nginx,etc/nginx/conf.d,usr/share/nginx/html}
  rm -rf "$root"/etc/nginx/{sites-enabled,modules-enabled}
  printf 'server {\n    listen 80;\n    location / { root /usr/share/nginx/html; }\n}\n' >"$root/etc/nginx/conf.d/default.conf"
  cat >"$root/etc/nginx/nginx.conf" <<'END'
user www-data;
error_log /dev/stderr;
pid /run/nginx.pid;
events {}
http {
    include /etc/nginx/mime.types;
    access_log /dev/stdout;
    include /etc/nginx/conf.d/*.conf;
}
END
  local name tag packed=0
  while read -r name tag; do
    image "$name" "$tag" "$root" /bin/sh
    packed=$((packed + 1))
  done < <(sed -nE 's|.*newName: docker\.io/([^ ]+), newTag: ([^ }]+)}.*|\1 \2|p' "$kustomization")
  ((packed == 4)) || die "$kustomization names $packed images, not four"
  rm -rf "$root"
}
