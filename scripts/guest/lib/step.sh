# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# step.sh: what every script uses: progress, facts, errors, files that are written only when they differ, services that
# are restarted only when a file of theirs was written.
set -Eeuo pipefail # E: the ERR trap holds in functions too, where nearly all work is done
umask 022          # what is written is for everybody to read, unless a script says otherwise
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
export NEEDRESTART_SUSPEND=1 # Ubuntu would restart services after each package

# What podium keeps on a node. The runner's umask made it; it holds secrets.
keep=/var/lib/podium
[[ -d $keep ]] || mkdir -m 0700 "$keep"

# say TEXT: a line of progress.
say() { printf '%s\n' "$*"; }

# fact KEY VALUE: reports a fact, in the file PODIUM_FACTS; where there is none, to the person who runs the script. What
# is called secret_... stands in no log.
fact() {
  if [[ -n ${PODIUM_FACTS:-} ]]; then
    printf '%s=%s\n' "$1" "$2" >>"$PODIUM_FACTS"
  else
    printf '%s=%s\n' "$1" "$2"
  fi
}

# die TEXT [WHAT-TO-DO]: ends the script, where trying again as it is would not help.
die() {
  printf '%s\n' "$@" >&2
  exit 1
}

# retry_later TEXT [WHAT-TO-DO]: ends the script with 75 (EX_TEMPFAIL), where trying again may help.
retry_later() {
  printf '%s\n' "$@" >&2
  exit 75
}

# hopeless TEXT [WHAT-TO-DO]: ends a check that will not hold, however long one waits, with 78 (EX_CONFIG).
hopeless() {
  printf '%s\n' "$@" >&2
  exit 78
}

# disk_full: whether nothing can be written any more, for want of space or by a quota.
disk_full() {
  if printf 'test\n' 2>/dev/null >"$keep/disk-test"; then
    rm -f "$keep/disk-test"
    return 1
  fi
}

# A full disk makes anything fail, with any message: so it is looked for whenever a script fails. A subshell leaves it to
# the shell that started it, which fails next, or takes the failure well.
explain_failure() {
  if ((BASH_SUBSHELL == 0)) && disk_full; then
    printf '%s\n' "nothing can be written to $keep: the disk of this node is full" "free some, or give the node more with disk: in lab.yaml" >&2
  fi
}
trap explain_failure ERR

# changed is yes when a file was written or removed that the step's service has not read yet, in this run or in one that
# was cut off before it restarted the service.
changes=$keep/changed.${0##*/}
changed=no
[[ ! -e $changes ]] || changed=yes

# service_changes: from here on the step's service needs a restart.
service_changes() {
  changed=yes
  : >"$changes"
}

# has_text FILE TEXT: whether the file is there with this text; newlines at the end do not count.
has_text() {
  local there
  [[ -f $1 ]] || return 1
  there=$(cat "$1")
  [[ $there == "$2" ]]
}

# write_file MODE PATH <TEXT: writes the file, whole or not at all, if its text differs; says so in wrote (yes or no).
wrote=no
write_file() {
  local mode=$1 path=$2 text
  text=$(cat)
  wrote=no
  if has_text "$path" "$text"; then
    return
  fi
  say "writing $path"
  mkdir -p "${path%/*}"
  rm -f "$path.podium"
  (umask 077 && printf '%s\n' "$text" >"$path.podium")
  chmod "$mode" "$path.podium"
  mv -f "$path.podium" "$path"
  wrote=yes
}

# write_config MODE PATH <TEXT: the same for a file that the step's service reads.
write_config() {
  local mode=$1 path=$2 text
  text=$(cat)
  if has_text "$path" "$text"; then
    return
  fi
  service_changes
  write_file "$mode" "$path" <<<"$text"
}

# remove_config PATH: removes such a file.
remove_config() {
  [[ -e $1 ]] || return 0
  service_changes
  say "removing $1"
  rm -f "$1"
}

# run_service UNIT: has the unit run, now and after a reboot; restarts it if a file was changed.
run_service() {
  local unit=$1
  [[ $changed == no ]] || systemctl daemon-reload
  systemctl is-enabled --quiet "$unit" || systemctl enable --quiet "$unit"
  if ! systemctl is-active --quiet "$unit"; then
    say "starting $unit"
    systemctl start "$unit" || die "$unit does not start" "see: journalctl -u $unit"
  elif [[ $changed == yes ]]; then
    say "restarting $unit"
    systemctl restart "$unit" || die "$unit does not start again" "see: journalctl -u $unit"
  fi
  rm -f "$changes"
  changed=no
}

# service_is_fresh: the step's service has read the files that are there, or will when it starts.
service_is_fresh() {
  rm -f "$changes"
  changed=no
}

# has_unit UNIT: whether systemd knows the unit.
has_unit() { systemctl cat "$1" >/dev/null 2>&1; }

# in_container: whether this node is a system container, which has its kernel, clock and swap from its host.
in_container() { systemd-detect-virt --quiet --container; }

# wait_until SECONDS COMMAND...: repeats the command until it succeeds; fails when the time is over.
wait_until() {
  local tries=$(($1 * 4))
  shift
  until "$@"; do
    ((tries-- > 0)) || return 1
    sleep 0.25
  done
}
