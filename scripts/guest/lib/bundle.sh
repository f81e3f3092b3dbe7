# shellcheck shell=bash
# bundle.sh: the beginning of every bundle that runner.sh evaluates: what the bundle's calls below it do. They find
# $home and $step set. The person who reads a step's script needs none of this.
set -euo pipefail
: "${home:?}" "${step:?}"
facts=$home/run/$step.facts

# start_facts: an empty file for the facts that the script reports.
start_facts() {
  : >"$facts"
  export PODIUM_FACTS=$facts
}

# run_script FILE: runs a script as a person would: no standard input, files of its own readable for all. What it prints
# goes to the log.
run_script() { (umask 022 && exec bash "$1" >&2); }

# hold STEP TRIES [PREFIX]: runs the check of a step until it holds, or says that it never will (78, hopeless in step.sh).
# It finds the seconds since the first try in PODIUM_WAITED. What it says is logged when it is news, after PREFIX. The tries are for the case that podium, which has a deadline,
# is cut off and does not end this.
hold() {
  local try code prefix=${3:-} said='' says out=$home/run/$1.probe start=$SECONDS
  echo probe=
  for ((try = 1; try <= $2; try++)); do
    code=0
    export PODIUM_WAITED=$((SECONDS - start))
    (umask 022 && exec timeout --foreground 60 bash "$home/scripts/$1.probe.sh" >"$out" 2>&1) || code=$?
    if ((code == 0)); then
      rm -f -- "$out"
      return
    fi
    says=$(tail -n 5 "$out")
    if ((code == 78)); then
      printf '%s\n' "${prefix:+never: $prefix}$says" >&2
      exit 1
    fi
    if [[ $says != "$said" ]]; then
      printf 'not yet: %s\n' "$prefix$says" >&2
      said=$says
    fi
    if ((try < 5)); then sleep 0.2; elif ((try < 40)); then sleep 0.5; else sleep 1; fi
  done
  echo "gave up after $2 tries" >&2
  exit 124
}

# unclaim: takes the digests out of the marker before the step's files are replaced. A step that is cut off from here on has
# to run again, also when the lab is changed back to what the marker said. The facts stay.
unclaim() {
  local line marker=$home/run/$step.marker
  [[ -f $home/steps/$step ]] || return 0
  while IFS= read -r line; do
    [[ $line == digest.* ]] || printf '%s\n' "$line"
  done <"$home/steps/$step" >"$marker"
  sync -f "$marker"
  mv -f -- "$marker" "$home/steps/$step"
}

# claim SCRIPT VARS FILES: writes the marker that says that the step is done, with the digests of what it was done with
# and the facts, and prints it. What the step wrote is on the disk first: a node that loses its power must not come
# back with the claim and without the deed.
claim() {
  local marker=$home/run/$step.marker
  {
    printf 'digest.script=%s\ndigest.vars=%s\ndigest.files=%s\n' "$1" "$2" "$3"
    printf 'done=%s\n' "$(date +%s)"
    give_facts
  } >"$marker"
  sync -f "$marker"
  mv -f -- "$marker" "$home/steps/$step"
  rm -f -- "$facts"
  cat "$home/steps/$step"
}

# give_facts: prints the facts.
give_facts() { sed 's/^/fact./' "$facts"; }

# give_secrets: prints those facts of a step that failed which must stand in no log: it may have shown them before.
give_secrets() { [[ ! -f $facts ]] || sed -n '/^secret_/s/^/fact./p' "$facts"; }
