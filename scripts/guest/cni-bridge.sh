#!/bin/bash
# cni-bridge.sh: the pod network without any daemon: on each node a bridge with a range of pod addresses of its own, and
# one route per other node, over the private card. To be seen with: ip route; bridge link; cat /etc/cni/net.d/*
#
# Takes:  PODIUM_NODE, PODIUM_ADDRESS, PODIUM_POD_SUBNET (all pods), PODIUM_POD_RANGES (lines "range address node", this
#         node's among them); the file /var/lib/podium/files/cni-bridge.conflist; optional: the proxy's
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=w1 PODIUM_ADDRESS=192.168.56.11 PODIUM_POD_SUBNET=10.244.0.0/16 \
#           PODIUM_POD_RANGES='10.244.11.0/24 192.168.56.11 w1' bash cni-bridge.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/cni.sh"

own_cni bridge

# The package kubernetes-cni brings the plugins; the distribution's has the same elsewhere.
apt_install iptables
for plugin in bridge host-local portmap loopback; do
  if [[ ! -x /opt/cni/bin/$plugin ]]; then
    apt_install containernetworking-plugins
    mkdir -p /opt/cni/bin
    ln -sf "/usr/lib/cni/$plugin" "/opt/cni/bin/$plugin"
  fi
done

own=
routes=
while read -r range address node; do
  if [[ $node == "$PODIUM_NODE" ]]; then
    own=$range
  else
    routes+="ip route replace $range via $address # $node"$'\n'
  fi
done <<<"$PODIUM_POD_RANGES"
[[ -n $own ]] || die "PODIUM_POD_RANGES has no line for $PODIUM_NODE"

# Pods reach each other by their own addresses; whatever is not a pod sees the node's.
write_config 0755 /usr/local/sbin/podium-pod-network <<END
#!/bin/bash
# By podium (cni-bridge.sh): the routes to the pods of the other nodes, and the way out for those of this one.
set -e
${routes}rule=(POSTROUTING --source $own ! --destination $PODIUM_POD_SUBNET --match comment --comment podium-pods --jump MASQUERADE)
iptables --wait --table nat --check "\${rule[@]}" 2>/dev/null || iptables --wait --table nat --append "\${rule[@]}"
END

# networkd drops routes that it does not know whenever it starts: the unit follows it.
write_config 0644 /etc/systemd/system/podium-pod-network.service <<'END'
[Unit]
Description=Routes to the pods of the other nodes
Wants=network-online.target
After=network-online.target systemd-networkd.service networking.service
PartOf=systemd-networkd.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/podium-pod-network
Restart=on-failure
RestartSec=2

[Install]
WantedBy=multi-user.target
END

# Routes to nodes that are no longer in the lab.
while read -r range rest; do
  if [[ " $rest " == *" via "* && $PODIUM_POD_RANGES != *"$range "* ]]; then
    say "dropping the route to $range"
    ip route delete "$range"
  fi
done <<<"$(ip -4 route show root "$PODIUM_POD_SUBNET")"

run_service podium-pod-network.service
write_file 0644 /etc/cni/net.d/10-podium.conflist </var/lib/podium/files/cni-bridge.conflist
