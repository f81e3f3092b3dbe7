# shellcheck shell=bash
# busybox.sh: Debian's busybox as the image busybox of docker.io: a base for what a lab builds itself. Debian builds it
# without httpd, so a program of one file stands in for that.

: "${scratch:?}" "${mirror:?}" "${bin:?}"

pack_busybox() {
  local root=$scratch/busybox tool
  mmdebstrap --quiet --variant=extract --mode=root --include=busybox-static "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$scratch/busybox.tar" "$mirror"
  mkdir -p "$root/bin"
  small httpd <<'GO'
// httpd takes the options of busybox's that the lab cicd uses.
package main

import (
	"flag"
	"log"
	"net/http"
)

func main() {
	flag.Bool("f", true, "in the foreground, as always here")
	flag.Bool("v", false, "nothing")
	port := flag.String("p", "80", "port")
	home := flag.String("h", ".", "folder")
	flag.Parse()
	log.Fatal(http.ListenAndServe(":"+*port, http.FileServer(http.Dir(*home))))
}
GO
  install "$bin/httpd" "$root/bin/httpd"
  tar -C "$scratch" -xf "$scratch/busybox.tar" --wildcards '*bin/busybox'
  install -D "$(find "$scratch" -path '*bin/busybox' | head -n 1)" "$root/bin/busybox"
  for tool in sh ls cat; do ln -s busybox "$root/bin/$tool"; done
  mkdir -p "$root/tmp"
  # The official image has no entry point: what is built on it names its command.
  printf '#!/bin/sh\nexec "$@"\n' >"$root/bin/run"
  chmod +x "$root/bin/run"
  image library/busybox 1.37 "$root" /bin/run
  rm -rf "$root"
}
