#!/bin/bash
# docker.sh: the Docker engine, its command line, buildx and compose, and who may use them.
#
# Takes:  PODIUM_NODE, PODIUM_USER, PODIUM_DOCKER_USERS (more accounts, by spaces), PODIUM_SOURCE (upstream or distro);
#         optional: PODIUM_MIRROR_DOCKER (instead of https://download.docker.com), PODIUM_MIRROR_REGISTRY and
#         PODIUM_MIRROR_REGISTRIES (Docker has mirrors for docker.io only: that one's line counts, else the former),
#         the proxy's
# Gives:  docker_version
# Alone:  sudo PODIUM_NODE=d1 PODIUM_USER=vagrant PODIUM_DOCKER_USERS= PODIUM_SOURCE=distro bash docker.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/docker-repository.sh"
. "$(dirname "$0")/lib/proxy.sh"

install_docker() {
  local ID VERSION_ID
  if [[ $PODIUM_SOURCE != distro ]]; then
    docker_repository
    apt_install_service docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin
    return
  fi
  # shellcheck source=/dev/null
  . /etc/os-release
  case $ID-$VERSION_ID in
    ubuntu-*) apt_install_service docker.io docker-buildx docker-compose-v2 ;;
    debian-12) apt_install_service docker.io ;; # its compose is the first, which its makers gave up in 2023
    *) apt_install_service docker.io docker-cli docker-buildx docker-compose ;;
  esac
}

# hub_mirror: the mirror of docker.io, if any.
hub_mirror() {
  local name url
  while read -r name url; do
    if [[ $name == docker.io ]]; then
      printf '%s\n' "$url"
      return
    fi
  done <<<"${PODIUM_MIRROR_REGISTRIES:-}"
  printf '%s\n' "${PODIUM_MIRROR_REGISTRY:-}"
}

configure_docker() {
  local mirror mirrors='' insecure=''
  mirror=$(hub_mirror)
  mirror=${mirror%/}
  if [[ -n $mirror ]]; then
    mirrors=$',\n  "registry-mirrors": ["'$mirror'"]'
    # Docker speaks plain HTTP only to registries that are named as insecure.
    [[ $mirror != http://* ]] || insecure=$',\n  "insecure-registries": ["'${mirror#http://}'"]'
  fi
  write_config 0644 /etc/docker/daemon.json <<END
{
  "log-driver": "json-file",
  "log-opts": {"max-size": "10m", "max-file": "3"}$mirrors$insecure
}
END
}

# Members of the group are as good as root on this node; the engine's own documentation says so too.
admit() {
  local user
  for user in "$PODIUM_USER" $PODIUM_DOCKER_USERS; do
    id "$user" >/dev/null 2>&1 ||
      die "$PODIUM_NODE has no account called $user" "take it out of docker.users in lab.yaml, or make the account in a step of the lab's own that runs before"
    if [[ " $(id --groups --name "$user") " != *" docker "* ]]; then
      say "$user may use docker from the next login on"
      usermod --append --groups docker "$user"
    fi
  done
}

configure_docker # before the package starts the engine for the first time
service_proxy docker
install_docker
run_service docker.service
admit
fact docker_version "$(docker version --format '{{.Server.Version}}')"
