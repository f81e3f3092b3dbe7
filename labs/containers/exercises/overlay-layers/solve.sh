#!/usr/bin/env bash
set -euo pipefail
cd /srv/layers
mountpoint -q merged || mount -t overlay overlay -o lowerdir=app:base,upperdir=changes,workdir=work merged
echo "$WORD" >merged/motd
rm -f merged/old.txt
