# shellcheck shell=bash
# repair.sh: how the scripts of podium repair say what is wrong. Takes PODIUM_REPAIR: plan (say what is wrong and what
# would be done) or fix (do it). Needs step.sh.

found=0

# wrong WHAT REMEDY: reports something wrong. Succeeds when it is to be repaired now.
wrong() {
  found=$((found + 1))
  say "wrong: $1"
  fact "finding_$found" "$1 -> $2"
  [[ $PODIUM_REPAIR == fix ]] || return 1
  say "repair: $2"
}

# beyond WHAT ADVICE: reports something wrong that podium cannot repair.
beyond() {
  found=$((found + 1))
  say "wrong: $1: $2"
  fact "beyond_$found" "$1 -> $2"
}
