# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# resolver.sh: names must resolve before apt is asked. Takes PODIUM_DNS; without it the resolvers that the machine came
# with stay, unless they are dead: VirtualBox 7.2's NAT hands the host's own 127.0.0.53 to its guests, for example.

resolv=/etc/resolv.conf

# check_resolver: resolvers set where the lab names some; then a name that apt needs must resolve.
check_resolver() {
  local name resolver
  if [[ -n ${PODIUM_DNS:-} ]]; then
    use_resolvers "$PODIUM_DNS"
    : >"$keep/dns"
  elif [[ -e $keep/dns ]]; then
    forget_resolvers # the lab named some before, and no longer does
    rm -f "$keep/dns"
  fi
  name=$(host_of_sources)
  # An address needs no resolver, and a proxy resolves names itself.
  if [[ -z $name || $name =~ ^[0-9.]+$ || -n ${PODIUM_HTTP_PROXY:-} ]] || resolves "$name"; then
    return 0
  fi
  [[ -z ${PODIUM_DNS:-} ]] ||
    retry_later "$PODIUM_NODE cannot resolve $name with the resolvers of lab.yaml: $PODIUM_DNS" "correct dns: in lab.yaml, or leave it out"
  say "$name does not resolve: trying other resolvers"
  # 10.0.2.3 is the forwarder in VirtualBox's NAT; the others are public.
  for resolver in 10.0.2.3 1.1.1.1 9.9.9.9; do
    use_resolvers "$resolver"
    if resolves "$name"; then
      return 0
    fi
  done
  forget_resolvers
  retry_later "$PODIUM_NODE cannot resolve $name" "name a resolver that your network allows in lab.yaml, such as dns: [192.168.1.1]"
}

resolves() { timeout 12 getent ahostsv4 "$1" >/dev/null; }

# host_of_sources: the first host that apt's sources name.
host_of_sources() {
  local url
  url=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    grep -v '^ *#' | grep -o -E -m 1 'https?://[^/: ]+') || true # one of the files may be missing
  printf '%s\n' "${url#*//}"
}

# use_resolvers LIST: sets them so that a reboot or a new lease does not undo it.
use_resolvers() {
  local list=$1
  if systemctl is-active --quiet systemd-resolved.service; then
    write_file 0644 /etc/systemd/resolved.conf.d/podium.conf <<END
[Resolve]
DNS=$list
Domains=~.
END
    [[ $wrote == no ]] || systemctl restart systemd-resolved.service
    return
  fi
  if [[ -f /etc/dhcp/dhclient.conf ]]; then
    keep_original /etc/dhcp/dhclient.conf
    write_file 0644 /etc/dhcp/dhclient.conf <<END
$(cat "$keep/dhclient.conf")
supersede domain-name-servers ${list// /, };
END
  fi
  if [[ -f /etc/dhcpcd.conf ]]; then
    keep_original /etc/dhcpcd.conf
    write_file 0644 /etc/dhcpcd.conf <<END
$(cat "$keep/dhcpcd.conf")
nohook resolv.conf
END
  fi
  keep_original $resolv
  [[ ! -L $resolv ]] || rm -f $resolv
  write_file 0644 $resolv <<END
# by podium
nameserver ${list// /$'\n'nameserver }
END
}

keep_original() { [[ -e $keep/${1##*/} || ! -e $1 ]] || cp "$1" "$keep/${1##*/}"; }

# forget_resolvers: puts back what was there.
forget_resolvers() {
  local file
  if [[ -e /etc/systemd/resolved.conf.d/podium.conf ]]; then
    rm -f /etc/systemd/resolved.conf.d/podium.conf
    systemctl restart systemd-resolved.service
  fi
  for file in /etc/dhcp/dhclient.conf /etc/dhcpcd.conf $resolv; do
    [[ ! -e $keep/${file##*/} ]] || mv -f "$keep/${file##*/}" "$file"
  done
}
