#!/bin/bash
# look.sh: says how a node is, in one round trip: the steps done on it and the health of its services.
#
# Usage: sudo -n bash -c "$(cat look.sh)" podium-look [UNIT...]
#
# Standard output: lines KEY=VALUE: for each step done step=NAME and then its marker's lines; for each unit
# unit.NAME=STATE; and "end=" at last, without which the answer is not whole.
home=${PODIUM_HOME:-/var/lib/podium} # tests have another one

for marker in "$home"/steps/*; do
  [[ -f $marker ]] || continue
  echo "step=${marker##*/}"
  while IFS= read -r line; do
    printf '%s\n' "$line"
  done <"$marker"
done
if (($#)); then
  states=$(systemctl is-active "$@" 2>/dev/null)
  while read -r state && (($#)); do
    echo "unit.$1=$state"
    shift
  done <<<"$states"
fi
echo end=
