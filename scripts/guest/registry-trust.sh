#!/bin/bash
# registry-trust.sh: has containerd take images from the lab's own registry, which speaks plain HTTP.
#
# Takes:  PODIUM_DELIVERY_REGISTRY (host:port)
# Gives:  nothing
# Alone:  sudo PODIUM_DELIVERY_REGISTRY=192.168.56.13:5000 bash registry-trust.sh
. "$(dirname "$0")/lib/step.sh"

# containerd reads the folder at each pull: https://github.com/containerd/containerd/blob/main/docs/hosts.md
write_file 0644 "/etc/containerd/certs.d/$PODIUM_DELIVERY_REGISTRY/hosts.toml" <<END
# The lab's own registry, by podium.
[host."http://$PODIUM_DELIVERY_REGISTRY"]
  capabilities = ["pull", "resolve"]
END
