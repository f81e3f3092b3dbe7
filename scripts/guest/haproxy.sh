#!/bin/bash
# haproxy.sh: hands each connection to the API, on port 8443 of this control plane, to a control plane that works.
#
# Takes:  PODIUM_NODE; the file /var/lib/podium/files/haproxy.cfg; optional: the proxy's
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=cp1 bash haproxy.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"

# Before the package, which starts the service at once.
write_config 0644 /etc/haproxy/haproxy.cfg </var/lib/podium/files/haproxy.cfg
apt_install_service haproxy
haproxy -c -q -f /etc/haproxy/haproxy.cfg ||
  die "haproxy does not take /etc/haproxy/haproxy.cfg" "podium wrote it: please report this"
run_service haproxy.service
