#!/usr/bin/env bash
# Process 1 is a shell that waits: a signal to end the container ends that, not the program.
set -euo pipefail
mkdir -p /srv/tiny/{bin,proc}
cp "$(command -v busybox)" /srv/tiny/bin/busybox
chroot /srv/tiny /bin/busybox --install -s /bin
setsid unshare --fork --pid --mount --uts chroot /srv/tiny /bin/sh -c \
  "hostname $NAME; mount -t proc proc /proc; sleep $NUMBER; true" </dev/null >/dev/null 2>&1 &
