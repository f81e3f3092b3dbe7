# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# download.sh: downloads over weak lines. Takes PODIUM_HTTP_PROXY, PODIUM_HTTPS_PROXY, PODIUM_NO_PROXY; PODIUM_CHECKSUMS
# (lines "checksum path": what files have to be whose URL ends in the path).

if [[ -n ${PODIUM_HTTP_PROXY:-} ]]; then
  export http_proxy=$PODIUM_HTTP_PROXY https_proxy=${PODIUM_HTTPS_PROXY:-$PODIUM_HTTP_PROXY}
  export no_proxy=${PODIUM_NO_PROXY:-localhost}
fi

# curl_file URL FILE [CURL-OPTION...]: curl with patience, and without a look at a line that has gone dead.
curl_file() {
  local url=$1 file=$2
  shift 2
  local code=0 status
  status=$(curl --fail --silent --show-error --location --connect-timeout 20 --speed-limit 200 --speed-time 60 \
    --retry 4 --retry-delay 2 --write-out '%{http_code}' --output "$file" "$@" "$url") || code=$?
  ((code)) || return 0
  case $code/$status in
    22/40[1347] | 22/410) die "$url answers $status" "has it moved? a mirror is set under mirrors: in lab.yaml" ;;
    23/*) die "$file cannot be written" "is the disk full? free some, or give the node more with disk: in lab.yaml" ;;
    22/416 | 33/*) return 1 ;; # nothing to continue
  esac
  retry_later "$url cannot be downloaded (curl exit code $code)" "does the node reach it? a mirror or a proxy is set in lab.yaml"
}

# known_sum URL: the checksum that podium knows of a file; nothing where it knows none. The path counts, so that it holds
# for a mirror too: one that builds files of its own states their checksums under mirrors.checksums in lab.yaml.
known_sum() {
  local sum path
  while read -r sum path; do
    if [[ -n $path && $1 == */"$path" ]]; then
      printf '%s\n' "$sum"
      return
    fi
  done <<<"${PODIUM_CHECKSUMS:-}"
}

# check_sum URL FILE SUM: refuses a file that is not what it should be.
check_sum() {
  printf '%s  %s\n' "$3" "$2" | sha256sum --check --status && return
  rm -f "$2"
  retry_later "$1 has not the checksum $3" "is it a captive portal's answer, or a mirror that builds files of its own? see mirrors.checksums of lab.yaml"
}

# fetch URL FILE: downloads a small file.
fetch() {
  local sum
  say "fetching $1"
  rm -f "$2"
  curl_file "$1" "$2" || retry_later "$1 cannot be downloaded"
  sum=$(known_sum "$1")
  [[ -z $sum ]] || check_sum "$1" "$2" "$sum"
}

# fetch_archive URL FILE SHA256: downloads a large file, going on where an earlier run was cut off, and checks it. What
# podium knows of it counts more than a checksum that lies beside the file.
fetch_archive() {
  local url=$1 file=$2 sum
  sum=$(known_sum "$url")
  sum=${sum:-$3}
  if [[ -f $file ]] && printf '%s  %s\n' "$sum" "$file" | sha256sum --check --status; then
    return
  fi
  say "downloading $url"
  rm -f "$file"
  curl_file "$url" "$file.part" --continue-at - || {
    rm -f "$file.part"
    fetch "$url" "$file.part"
  }
  check_sum "$url" "$file.part" "$sum"
  mv -f "$file.part" "$file"
}
