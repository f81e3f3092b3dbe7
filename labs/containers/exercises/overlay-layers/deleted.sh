#!/usr/bin/env bash
# A whiteout is a device with the numbers 0, 0.
if [[ -e /srv/layers/merged/old.txt ]]; then
  echo "old.txt is still in /srv/layers/merged|/srv/layers/merged에 아직 old.txt가 있습니다"
  exit 1
fi
if [[ ! -c /srv/layers/changes/old.txt ]]; then
  echo "there is no mark for old.txt in /srv/layers/changes: it was not deleted in merged|/srv/layers/changes에 old.txt의 표시가 없습니다. merged 안에서 지우지 않았습니다"
  exit 1
fi
