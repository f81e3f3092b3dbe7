# shellcheck shell=bash
# packages.sh: Debian's packages that a script here needs. Takes cache (a folder) and mirror (the archive's address); needs
# say.

: "${cache:?}" "${mirror:?}"

# packages NAME... installs what is missing. The archives lie in a folder of our own, because another apt may clean the
# common one between our download and our installation.
packages() {
  local missing=() package backports=/etc/apt/sources.list.d/podium-e2e-backports.sources
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  local apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Dir::Cache::archives="$cache/apt")
  mkdir -p "$cache/apt/partial"
  "${apt[@]}" update
  local suite=()
  if grep -q VERSION_CODENAME=bookworm /etc/os-release && [[ " ${missing[*]} " == *' incus-'* ]]; then
    # Debian 12 has Incus in backports only.
    if [[ ! -f $backports ]] && ! apt-cache show incus-base >/dev/null 2>&1; then
      printf 'Types: deb\nURIs: %s\nSuites: bookworm-backports\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
        "$mirror" >"$backports"
      "${apt[@]}" update
    fi
    suite=(-t bookworm-backports)
  fi
  DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "${suite[@]}" "${missing[@]}" >/dev/null
}
