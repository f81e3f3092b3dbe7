#!/bin/bash
# runner.sh: takes the bundle of one step from standard input and runs it; kills it when standard input ends, because
# then nobody waits for it any more.
#
# Usage: bash -c "$(cat runner.sh)" podium-run BYTES STEP <BUNDLE-THEN-LIFELINE
set -euo pipefail
umask 077
bytes=$1
step=$2
mkdir -p /var/lib/podium/run
exec 9>"/var/lib/podium/lock.$step"
flock 9
bundle=/var/lib/podium/run/$step.bundle
head -c "$bytes" >"$bundle"
exec 8<&0
set -m
bash "$bundle" </dev/null 8<&- 9>&- &
job=$!
(
  cat <&8 >/dev/null
  kill -TERM -- "-$job"
) 2>/dev/null 9>&- &
watcher=$!
code=0
wait "$job" || code=$?
kill -- "-$watcher" 2>/dev/null || true
rm -f "$bundle"
exit "$code"
