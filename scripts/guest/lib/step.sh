# shellcheck shell=bash
# step.sh: what every script needs: progress, facts, errors, files that are written only when they differ.
set -euo pipefail
umask 022 # files of the system are for everybody to read unless a script says otherwise
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
: "${PODIUM_FACTS:=/dev/stdout}"

# say TEXT: a line of progress.
say() { printf '%s\n' "$*"; }

# fact KEY VALUE: reports a fact. Keys that start with secret_ are secrets.
fact() { printf '%s=%s\n' "$1" "$2" >>"$PODIUM_FACTS"; }

# die TEXT [WHAT-TO-DO]: ends the script; running it again as it is would not help.
die() {
  printf '%s\n' "$@" >&2
  exit 1
}

# retry_later TEXT [WHAT-TO-DO]: ends the script with EX_TEMPFAIL: the same again, later, may work.
retry_later() {
  printf '%s\n' "$@" >&2
  exit 75
}

# write_file MODE PATH <TEXT: writes the file if its text differs, then sets changed=yes. The caller sets changed=no first.
changed=no
write_file() {
  local mode=$1 path=$2 text
  text=$(cat)
  if [[ -f $path && $(cat "$path") == "$text" ]]; then
    chmod "$mode" "$path"
    return
  fi
  mkdir -p "${path%/*}"
  printf '%s\n' "$text" >"$path.podium"
  chmod "$mode" "$path.podium"
  mv -f "$path.podium" "$path"
  say "wrote $path"
  changed=yes
}

# in_container: whether this node is a system container, which shares its kernel with its host.
in_container() { systemd-detect-virt --quiet --container; }
