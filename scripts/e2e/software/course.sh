# shellcheck shell=bash
# course.sh: images that the exercises in labs/ ask Docker Hub for, made of Debian's packages. One tree has all programs, so
# that a node fetches one layer; each image is a small layer on top of it: how it starts.

: "${scratch:?}" "${mirror:?}"

pack_course() {
  local base=$scratch/course
  say "packing the images of exercises"
  mmdebstrap --quiet --variant=essential --mode=root --include=nginx-light,busybox-static,curl,python3-minimal,redis-server,netcat-openbsd,iproute2 \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$scratch/course.tar" "$mirror"
  mkdir -p "$base"
  tar -C "$base" --exclude './dev/*' -xf "$scratch/course.tar"
  rm "$scratch/course.tar"
  rm -rf "$base"/etc/nginx/{sites-enabled,modules-enabled} "$base"/var/lib/apt/lists/* "$base"/var/cache/apt/*
  mkdir -p "$base"/{data,tmp,etc/nginx/conf.d,usr/share/nginx/html}
  echo '<h1>Welcome to nginx!</h1>' >"$base/usr/share/nginx/html/index.html"
  # As the official image has it.
  printf 'server {\n    listen 80;\n    location / { root /usr/share/nginx/html; }\n}\n' >"$base/etc/nginx/conf.d/default.conf"
  cat >"$base/etc/nginx/nginx.conf" <<'END'
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
  starts library/nginx "latest 1 1.27 1.28 alpine" "exec nginx -g 'daemon off;'" "$base"
  starts library/busybox "latest 1 1.37" 'exec sh' "$base"
  starts library/debian "latest 12 bookworm" 'exec bash' "$base"
  starts library/python "latest 3 3.11 slim" 'exec python3' "$base"
  starts library/redis "latest 7" 'exec redis-server --protected-mode no' "$base"
  rm -rf "$base"
}

# starts NAME TAGS COMMAND FOLDER: an image that runs COMMAND unless it is given another one, as the official ones do.
starts() {
  local tag root=$scratch/starts
  for tag in $2; do
    mkdir -p "$root"
    # shellcheck disable=SC2016 # of the script
    printf '#!/bin/sh\n[ $# -eq 0 ] || exec "$@"\n%s\n' "$3" >"$root/start"
    chmod +x "$root/start"
    image "$1" "$tag" "$root" /start "$4"
    rm -rf "$root"
  done
}
