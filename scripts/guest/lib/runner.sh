#!/bin/bash
# runner.sh: takes the bundle of one step from standard input and runs it in a process group of its own, which it ends
# when standard input ends: then nobody waits for the step any more. It is the same text for every step.
#
# Usage: sudo -n bash -c "$(cat runner.sh)" podium-run BYTES STEP
#
# Standard input: BYTES bytes of bash text, the bundle, whose last line is "# end of bundle"; then nothing, as long as
# podium lives. Standard output: what the bundle prints there, and at the end the line "exit=CODE". Standard error: the
# step's log.
#
# The bundle finds $home and $step set. It is kept in memory, because it may hold secrets.
set -uo pipefail
umask 077
bytes=$1
step=$2
home=${PODIUM_HOME:-/var/lib/podium} # tests have another one
cannot_write() {
  echo "nothing can be written to $home: is the disk full? free some, or give the node more with disk: in lab.yaml" >&2
  exit 1
}
mkdir -p "$home/run" "$home/steps" "$home/scripts" || cannot_write

bundle=$(head -c "$bytes")
if [[ $bundle != *"# end of bundle" ]]; then
  echo "the bundle of $step did not arrive whole" >&2
  exit 75
fi

# The lock is on descriptor 9, which this shell and the watcher keep, and the step does not get: it ends when the
# step's process group has ended, and no service that the step starts can hold it.
exec 8<&0 9>"$home/run/$step.lock" || cannot_write
set -m
(
  exec </dev/null 8<&-
  if ! flock -n 9; then
    echo "waiting for an earlier run of $step to end" >&2
    flock 9
  fi
  exec 9>&-
  eval "$bundle"
) &
job=$!

(
  exec >/dev/null 2>&1
  while read -r <&8; do :; done
  trap '' TERM
  kill -TERM -- "-$job"
  for ((tries = 0; tries < 50; tries++)); do
    kill -0 -- "-$job" || exit
    sleep 0.2
  done
  kill -KILL -- "-$job"
) &
watcher=$!
set +m
exec 8<&-

code=0
wait "$job" 2>/dev/null || code=$? # bash reports a killed job there
kill -- "-$watcher" 2>/dev/null
echo "exit=$code"
exit "$code"
