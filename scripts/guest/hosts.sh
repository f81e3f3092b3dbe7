#!/bin/bash
# hosts.sh: the node's name, and every node's name and address in /etc/hosts.
#
# Takes:  PODIUM_NODE, PODIUM_HOSTS (lines "address name [alias...]")
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=w1 PODIUM_HOSTS='192.168.56.10 cp' bash hosts.sh
. "$(dirname "$0")/lib/step.sh"

if [[ $(cat /etc/hostname 2>/dev/null) != "$PODIUM_NODE" || $(hostname) != "$PODIUM_NODE" ]]; then
  printf '%s\n' "$PODIUM_NODE" >/etc/hostname
  hostname "$PODIUM_NODE"
  say "the node is called $PODIUM_NODE"
fi

# Boxes write "127.0.1.1 NAME" or "127.0.2.1 NAME": with it the node would know itself by loopback only.
kept=
ours=no
while IFS= read -r line; do
  case $line in
    '# podium: begin') ours=yes ;;
    '# podium: end') ours=no ;;
    127.0.[12].1[[:blank:]]*) ;;
    *) [[ $ours == yes ]] || kept+=$line$'\n' ;;
  esac
done </etc/hosts
write_file 0644 /etc/hosts <<END
${kept%$'\n'}
# podium: begin
$PODIUM_HOSTS
# podium: end
END
