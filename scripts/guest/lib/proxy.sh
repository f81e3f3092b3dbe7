# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# proxy.sh: has a service use the lab's proxy. Takes PODIUM_HTTP_PROXY, PODIUM_HTTPS_PROXY, PODIUM_NO_PROXY.

# service_proxy UNIT: writes or removes the unit's drop-in.
service_proxy() {
  local file=/etc/systemd/system/$1.service.d/podium-proxy.conf
  if [[ -z ${PODIUM_HTTP_PROXY:-} ]]; then
    remove_config "$file"
    return
  fi
  write_config 0600 "$file" <<END
[Service]
Environment="HTTP_PROXY=$PODIUM_HTTP_PROXY"
Environment="HTTPS_PROXY=${PODIUM_HTTPS_PROXY:-$PODIUM_HTTP_PROXY}"
Environment="NO_PROXY=${PODIUM_NO_PROXY:-localhost}"
END
}
