# shellcheck shell=bash
# checks.sh: what the parts of run.sh have in common: assertions with their time, a summary, podium among the nodes.
# Needs $work, a folder, and $here, the folder of run.sh. $part is what runs now, $packing the process that packs Kubernetes.

: "${work:?}" "${here:?}"
part=

passed=0 failed=0 skipped=0

# now: milliseconds since some moment.
now() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# row KIND SECONDS TEXT: one line of the report, which the summary repeats.
row() { printf '%-7s %7s  %s\n' "$1" "$2" "$3" | tee -a "$work/report"; }

seconds() { printf '%d.%01ds' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# check NAME COMMAND...: an assertion. What the command prints is shown when it fails, and kept in $work/output, where the
# next one still finds it.
check() {
  local name=$1 start code=0
  shift
  start=$(now)
  "$@" >"$work/output.new" 2>&1 </dev/null || code=$?
  mv "$work/output.new" "$work/output"
  if ((code == 0)); then
    passed=$((passed + 1))
    row PASS "$(seconds $(($(now) - start)))" "$part: $name"
    return 0
  fi
  failed=$((failed + 1))
  row FAIL "$(seconds $(($(now) - start)))" "$part: $name"
  printf '    exit code %s; the last lines were:\n' "$code"
  tail -n 15 "$work/output" | cut -c 1-300 | sed 's/^/    /'
  return 1
}

# skip NAME WHY: what could not be looked at.
skip() {
  skipped=$((skipped + 1))
  row 'NOT RUN' - "$part: $1: $2"
}

# figure NAME VALUE: something measured, without a verdict.
figure() { row '' '' "$part: $1: $2"; }

# eventually SECONDS COMMAND...: tries again each half second.
eventually() {
  local end=$(($(now) + $1 * 1000))
  shift
  until "$@"; do
    (($(now) < end)) || return 1
    sleep 0.5
  done
}

# fails CODE COMMAND...: holds when the command ends with that exit code.
fails() {
  local want=$1 code=0
  shift
  "$@" || code=$?
  ((code == want)) || {
    echo "exit code $code, not $want"
    return 1
  }
}

# prints PATTERN COMMAND...: holds when the output has a line with the pattern (extended regular expression).
prints() {
  local pattern=$1 output
  shift
  output=$("$@" 2>&1) || {
    printf '%s\n' "$output"
    return 1
  }
  printf '%s\n' "$output"
  grep -q -E -e "$pattern" <<<"$output" || {
    echo "no line has: $pattern"
    return 1
  }
}

# said PATTERN: holds when what the assertion before printed has a line with the pattern. It prints the same again, for
# the next one.
said() {
  cat "$work/output"
  grep -q -i -E -e "$1" "$work/output"
}

# inside COMMAND...: where the nodes are; podium and incus there.
inside() { "$here/nodes.sh" exec "$@"; }
podium() { inside "$work/podium" "$@"; }
incus() { inside incus "$@"; }

# lab NAME FOLDER: a copy of a built-in lab, or of one below scripts/e2e/labs, with an override from stdin.
lab() {
  if [[ -d $here/labs/$1 ]]; then
    cp -r "$here/labs/$1" "$2"
  else
    "$work/podium" init "$1" "$2" >/dev/null
  fi
  cat >"$2/lab.override.yaml"
}

# idle LAB [OPTION...]: a run of up that changes nothing.
idle() {
  local output
  output=$(podium up "$@" -o json 2>&1) || {
    printf '%s\n' "$output"
    return 1
  }
  ! grep '"kind":"task-\(done\|failed\|retrying\)"' <<<"$output" | grep -v '"step":"boot"'
}

# gone LAB: nothing of a lab is left on the server.
gone() {
  local left
  left=$(
    incus list --all-projects -f csv -c nL "user.podium.lab=$1"
    incus query '/1.0/networks?recursion=1' | grep -F "\"user.podium.lab\": \"$1\"" || true
    incus query '/1.0/storage-pools/default/volumes' | grep -F "/$1-" || true
  )
  [[ -z $left ]] || {
    printf 'left behind: %s\n' "$left"
    return 1
  }
}

# makespan FILE: seconds of an up, against its longest chain of tasks, by the summary that ends its output.
makespan() {
  local all longest
  all=$(grep -o '"duration_ns":[0-9]*,"critical_ns"' "$1" | grep -o '[0-9]\+' | tail -n 1)
  longest=$(grep -o '"critical_ns":[0-9]*' "$1" | grep -o '[0-9]\+' | tail -n 1)
  awk -v all="$all" -v longest="$longest" 'BEGIN { printf "%.1f s; longest chain of tasks %.1f s; %.2f of it\n", all / 1e9, longest / 1e9, all / longest }'
}

# kubernetes_packed: waits until the packages and images of Kubernetes that run.sh has begun to pack are there. A part that
# calls it has run.sh begin. (know_mirror is run.sh's.)
kubernetes_packed() {
  [[ -n $packing ]] || return 0
  check "Kubernetes is built and packed" wait "$packing" || {
    tail -n 20 "$work/pack.log" | sed 's/^/    /'
    skip "the cluster" "Kubernetes could not be built"
    return 1
  }
  packing=''
  know_mirror
}

# summary: the verdict; its exit code is that of the whole run.
summary() {
  printf '\n'
  grep -v '^PASS' "$work/report" || true
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  ((failed == 0))
}
