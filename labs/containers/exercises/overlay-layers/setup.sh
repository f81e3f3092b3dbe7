#!/usr/bin/env bash
# Two layers, three empty folders, nothing mounted.
set -euo pipefail
while mountpoint -q /srv/layers/merged; do umount --lazy /srv/layers/merged; done
rm -rf /srv/layers
mkdir -p /srv/layers/{base,app,changes,work,merged}
cd /srv/layers
echo welcome >base/motd
echo old >base/old.txt
echo base >base/version
echo app >app/version
