#!/usr/bin/env bash
# Changed where everybody else has it from.
set -euo pipefail
cd /srv/layers
mount -t overlay overlay -o lowerdir=app:base,upperdir=changes,workdir=work merged
echo "$WORD" >base/motd
rm base/old.txt
