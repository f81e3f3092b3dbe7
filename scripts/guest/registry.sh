#!/bin/bash
# registry.sh: a container registry for what the lab builds itself, of the distribution's package docker-registry. It has
# no password: the lab's own network is its fence.
#
# Takes:  PODIUM_ADDRESS, PODIUM_REGISTRY_PORT
# Gives:  registry_url
# Alone:  sudo PODIUM_ADDRESS=192.168.56.14 PODIUM_REGISTRY_PORT=5000 bash registry.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/download.sh"

# The file is there before the package starts the service for the first time.
write_config 0644 /etc/docker/registry/config.yml <<END
# by podium
version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/docker-registry
  delete:
    enabled: true
http:
  addr: :$PODIUM_REGISTRY_PORT
END
apt_install_service docker-registry
run_service docker-registry.service

fact registry_url "http://$PODIUM_ADDRESS:$PODIUM_REGISTRY_PORT/v2/_catalog"
