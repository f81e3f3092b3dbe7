#!/usr/bin/env bash
# The first of lowerdir lies on top.
set -euo pipefail
cd /srv/layers
mount -t overlay overlay -o lowerdir=base:app,upperdir=changes,workdir=work merged
echo "$WORD" >merged/motd
rm merged/old.txt
