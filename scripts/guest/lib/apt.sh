# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# apt.sh: packages, on busy machines and over weak lines. The settings of /etc/apt/apt.conf.d/90podium, which base.sh
# writes, count too. Needs step.sh and download.sh.

# apt_lists holds when all package lists were read (seconds since 1970); it goes away when a source changes.
apt_lists=$keep/apt-lists
# What apt-get said last, and what it said about lists that it could not read.
apt_said=$keep/run/apt.${0##*/}
apt_missed=$keep/run/apt-lists.${0##*/}

# apt_get ARGUMENT...: apt-get; other steps of podium wait for it.
apt_get() {
  mkdir -p "$keep/run"
  flock -w 900 "$keep/lock.apt" apt-get -q -y "$@" 2>&1 | tee "$apt_said"
}

# apt_update: reads the package lists. A source that does not answer is no reason to stop: what is wanted may come from
# another. If it does not, apt_failed tells of it.
apt_update() {
  say "reading package lists"
  rm -f "$apt_lists" "$apt_missed"
  if apt_get update && ! grep -q -e '^Err:' -e '^W: Failed to fetch' "$apt_said"; then
    date +%s >"$apt_lists"
  else
    cp "$apt_said" "$apt_missed" || true
  fi
}

# apt_failed WHAT: ends the script with what apt-get's output says is wrong.
apt_failed() {
  local what=$1 said
  said=$(cat "$apt_said" "$apt_missed" 2>/dev/null) || true
  if disk_full; then
    said+='No space left on device'
  fi
  case $said in
    *'No space left on device'* | *'enough free space'* | *'Disk quota exceeded'*)
      die "$what: the disk of $PODIUM_NODE is full" "free some, or give the node more with disk: in lab.yaml"
      ;;
    *EXPKEYSIG* | *NO_PUBKEY* | *'is not signed'*)
      die "$what: a repository's signing key has expired or was changed" "is there a newer podium? does the clock of $PODIUM_NODE go right ($(date))?"
      ;;
    *'does not have a Release file'*)
      die "$what: a source of packages is not where it should be" "see the lines above that begin with E:; a mirror is set under mirrors: in lab.yaml"
      ;;
    *'unmet dependencies'* | *'held broken packages'*)
      die "$what: it does not go together with what is on $PODIUM_NODE" "see the lines above; a fresh machine has no such trouble"
      ;;
  esac
  if [[ ! -e $apt_missed ]] && grep -q -e 'Unable to locate package' -e 'has no installation candidate' -e 'was not found' "$apt_said"; then
    die "$what: no source of packages of $PODIUM_NODE has it" "does the mirror in lab.yaml carry it? see there: apt-cache policy"
  fi
  retry_later "$what" "see the lines above; does $PODIUM_NODE reach its sources of packages? try there: sudo apt-get update"
}

# apt_lists_fresh: whether they were read in the last hour, and no source has changed since.
apt_lists_fresh() { [[ -s $apt_lists ]] && (($(date +%s) - $(cat "$apt_lists") < 3600)); }

# apt_settle: finishes package work that was cut off, by a killed step or a crash.
apt_settle() {
  local try said
  for ((try = 0; try < 60; try++)); do
    [[ -n $(dpkg --audit 2>&1)$(ls /var/lib/dpkg/updates 2>/dev/null) ]] || return 0
    say "finishing package work that was cut off"
    if said=$(dpkg --configure -a --force-confdef --force-confold 2>&1 </dev/null); then
      apt_get --fix-broken install || apt_failed "broken packages cannot be repaired"
      return
    fi
    [[ $said == *lock* ]] || die "$said" "dpkg --configure -a fails on $PODIUM_NODE: repair the package by hand, then run podium up again"
    sleep 5
  done
  retry_later "another process has held the package system of $PODIUM_NODE for five minutes" "see there: ps ax | grep -e apt -e dpkg"
}

# is_installed PACKAGE: whether it is there, whole.
is_installed() { [[ $(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# apt_install PACKAGE...: installs those that are missing. PACKAGE=VERSION counts as missing at another version.
apt_install() {
  local package version missing=()
  for package in "$@"; do
    version=${package#*=}
    if ! is_installed "${package%%=*}"; then
      missing+=("$package")
    elif [[ $version != "$package" ]]; then
      # shellcheck disable=SC2053 # the version may be a pattern
      [[ $(dpkg-query --show --showformat '${Version}' "${package%%=*}") == $version ]] || missing+=("$package")
    fi
  done
  ((${#missing[@]})) || return 0
  apt_settle
  apt_lists_fresh || apt_update
  say "installing ${missing[*]}"
  apt_get install --no-install-recommends --allow-change-held-packages --allow-downgrades "${missing[@]}" && return
  apt_update # the lists may be older than the archive
  apt_settle
  apt_get install --no-install-recommends --allow-change-held-packages --allow-downgrades "${missing[@]}" ||
    apt_failed "${missing[*]} cannot be installed"
}

# apt_upgrade PACKAGE...: takes the newest versions that the sources have.
apt_upgrade() {
  apt_settle
  apt_update
  say "upgrading $*"
  apt_get install --no-install-recommends --allow-change-held-packages "$@" || apt_failed "$* cannot be upgraded"
}

# apt_download PACKAGE=VERSION...: fetches those that are not there at that version, to be installed later without a wait.
# That they cannot be had is told when they are installed.
apt_download() {
  local package missing=()
  for package in "$@"; do
    # shellcheck disable=SC2053 # the version may be a pattern
    [[ $(dpkg-query --show --showformat '${Version}' "${package%%=*}" 2>/dev/null) == ${package#*=} ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  apt_lists_fresh || apt_update
  say "fetching ${missing[*]}"
  apt_get install --download-only --no-install-recommends --allow-change-held-packages "${missing[@]}" || true
}

# apt_hold PACKAGE...: keeps them at the version that is there. dpkg's lock, which this takes too, waits for nobody.
apt_hold() {
  local package held
  held=$(apt-mark showhold)
  for package in "$@"; do
    grep -q -x "$package" <<<"$held" || flock -w 900 "$keep/lock.apt" apt-mark hold "$package"
  done
}

# apt_install_service PACKAGE...: the same; the first brings the step's service and starts it with the configuration
# that lies there already. So it needs no restart after that.
apt_install_service() {
  if is_installed "$1"; then
    apt_install "$@"
    return
  fi
  apt_install "$@"
  service_is_fresh
}

# has_key FILE FINGERPRINT: whether the key of that fingerprint is among those of the file.
has_key() {
  command -v gpg >/dev/null || apt_install gpg
  mkdir -p "$keep/run/gnupg"
  chmod 0700 "$keep/run/gnupg" # gpg would say much about another mode
  gpg --homedir "$keep/run/gnupg" --batch --with-colons --show-keys "$1" 2>/dev/null | grep -q -x "fpr:::::::::$2:"
}

# apt_key URL FILE [FINGERPRINT]: puts a repository's signing key in place. It is fetched each time, because keys are
# replaced; a key that is there already serves when it cannot be fetched. With a fingerprint no other key is taken. There
# is none for a mirror, which may sign with a key of its own. The name ends in .asc: apt takes armoured keys as they are.
apt_key() {
  local url=$1 file=$2 fingerprint=${3:-} new=$keep/run/${2##*/}
  mkdir -p "$keep/run"
  if [[ -s $file ]]; then
    (fetch "$url" "$new") || {
      rm -f "$new"
      say "going on with the key of an earlier run"
    }
  else
    fetch "$url" "$new"
  fi
  [[ -s $new ]] || return 0
  grep -q 'BEGIN PGP PUBLIC KEY BLOCK' "$new" ||
    retry_later "$url is no signing key" "is it a captive portal's answer? see $new on $PODIUM_NODE"
  if [[ -n $fingerprint ]] && ! has_key "$new" "$fingerprint"; then
    die "$url is not the key that podium knows: $fingerprint" \
      "was it replaced? ask on your own computer: podium catalog check; a mirror that signs with a key of its own is set under mirrors: in lab.yaml"
  fi
  has_text "$file" "$(cat "$new")" || rm -f "$apt_lists"
  write_file 0644 "$file" <"$new"
  rm -f "$new"
}

# apt_source NAME <TEXT: a source of packages, as NAME.sources in deb822 form.
apt_source() {
  local file=/etc/apt/sources.list.d/$1.sources text
  text=$(cat)
  has_text "$file" "$text" || rm -f "$apt_lists"
  write_file 0644 "$file" <<<"$text"
}
