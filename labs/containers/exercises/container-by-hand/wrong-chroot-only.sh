#!/usr/bin/env bash
# Its own files, and all the rest is the node's.
set -euo pipefail
mkdir -p /srv/tiny/bin
cp "$(command -v busybox)" /srv/tiny/bin/busybox
ln -s busybox /srv/tiny/bin/sleep
setsid chroot /srv/tiny /bin/sleep "$NUMBER" </dev/null >/dev/null 2>&1 &
