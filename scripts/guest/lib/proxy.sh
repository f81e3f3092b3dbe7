# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# proxy.sh: has a service, or a program in Java, use the lab's proxy. Takes PODIUM_HTTP_PROXY, PODIUM_HTTPS_PROXY,
# PODIUM_NO_PROXY. Needs step.sh.

# service_proxy UNIT: writes or removes the unit's drop-in. The addresses, which may hold a password, stand in a file of
# their own: systemd shows Environment= of a unit to every account of the machine, and takes a % in it for its own.
service_proxy() {
  local folder=/etc/systemd/system/$1.service.d
  if [[ -z ${PODIUM_HTTP_PROXY:-} ]]; then
    remove_config "$folder/podium-proxy.conf"
    remove_config "$folder/podium-proxy.env"
    return
  fi
  write_config 0600 "$folder/podium-proxy.env" <<END
HTTP_PROXY="$PODIUM_HTTP_PROXY"
HTTPS_PROXY="${PODIUM_HTTPS_PROXY:-$PODIUM_HTTP_PROXY}"
NO_PROXY="${PODIUM_NO_PROXY:-localhost}"
END
  write_config 0644 "$folder/podium-proxy.conf" <<END
[Service]
EnvironmentFile=$folder/podium-proxy.env
END
}

# java_option NAME VALUE: a line of the file of options that java reads as @FILE.
java_option() {
  local value=$2
  value=${value//\\/\\\\}
  value=${value//\"/\\\"}
  printf '"-D%s=%s"\n' "$1" "$value"
}

# java_proxy: the proxy in Java's own words, as lines of such a file.
java_proxy() {
  local scheme url user host port
  [[ -n ${PODIUM_HTTP_PROXY:-} ]] || return 0
  for scheme in http https; do
    url=$PODIUM_HTTP_PROXY
    [[ $scheme == http ]] || url=${PODIUM_HTTPS_PROXY:-$url}
    port=80
    [[ $url != https://* ]] || port=443
    url=${url#*://}
    url=${url%%/*}
    host=${url##*@}
    if [[ $host != "$url" ]]; then
      user=${url%@*}
      [[ $user == *:* ]] || user+=:
      java_option "$scheme.proxyUser" "$(percent_decoded "${user%%:*}")"
      java_option "$scheme.proxyPassword" "$(percent_decoded "${user#*:}")"
    fi
    if [[ $host =~ :([0-9]+)$ ]]; then
      port=${BASH_REMATCH[1]}
      host=${host%:*}
    fi
    host=${host#[}
    java_option "$scheme.proxyHost" "${host%]}"
    java_option "$scheme.proxyPort" "$port"
  done
  java_option http.nonProxyHosts "$(java_direct)" # for both schemes
  # Java would not show a password to a proxy that it asks for a tunnel.
  java_option jdk.http.auth.tunneling.disabledSchemes ''
}

# percent_decoded TEXT: a part of a URL as it is meant. URLs of lab.yaml hold no backslash.
percent_decoded() { printf '%b' "${1//%/\\x}"; }

# java_direct: PODIUM_NO_PROXY in Java's form. Of networks Java knows those that end at a dot of the address.
java_direct() {
  local entry entries text='localhost|127.*'
  IFS=, read -r -a entries <<<"${PODIUM_NO_PROXY:-}"
  for entry in "${entries[@]}"; do
    case $entry in
      '' | localhost | 127.0.0.1) ;;
      .*) text+="|*$entry" ;;
      */8) text+="|${entry%%.*}.*" ;;
      */16) text+="|${entry%.*.*}.*" ;;
      */24) text+="|${entry%.*}.*" ;;
      */*) ;;
      *[!0-9.]*) text+="|$entry|*.$entry" ;;
      *) text+="|$entry" ;;
    esac
  done
  printf '%s' "$text"
}
