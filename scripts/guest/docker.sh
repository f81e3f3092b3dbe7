#!/bin/bash
# docker.sh: the Docker engine, its command line, buildx and compose, and who may use them.
#
# Takes:  PODIUM_NODE, PODIUM_USER, PODIUM_DOCKER_USERS (more accounts, by spaces), PODIUM_SOURCE (upstream or distro);
#         optional: PODIUM_MIRROR_DOCKER (instead of https://download.docker.com), PODIUM_MIRROR_REGISTRY and
#         PODIUM_MIRROR_REGISTRIES (Docker has mirrors for docker.io only: that one's line counts, else the former),
#         the proxy's; for a node of a cluster: PODIUM_RUNTIME (docker: the kubelet's containers are this engine's),
#         PODIUM_CRI_SOCKET
# Gives:  docker_version
# Alone:  sudo PODIUM_NODE=d1 PODIUM_USER=vagrant PODIUM_DOCKER_USERS= PODIUM_SOURCE=distro bash docker.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/docker-repository.sh"
. "$(dirname "$0")/lib/proxy.sh"
. "$(dirname "$0")/lib/runtime.sh"

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

# plain_registries: the mirrors that speak plain HTTP, as JSON strings. Docker wants them named as insecure.
plain_registries() {
  local url name list=
  while read -r _ url; do
    name="\"$(host_of "$url")\""
    if [[ $url == http://* && $list != *$name* ]]; then
      list+="${list:+, }$name"
    fi
  done <<<"docker.io $(mirror_of docker.io)"$'\n'"${PODIUM_MIRROR_REGISTRIES:-}"$'\n'"any ${PODIUM_MIRROR_REGISTRY:-}"
  printf '%s\n' "$list"
}

# host_of URL: its host and port.
host_of() {
  local rest=${1#*://}
  printf '%s\n' "${rest%%/*}"
}

# kubernetes_settings: the kubelet's cgroup driver, and a runtime that bears a container's walls.
kubernetes_settings() {
  [[ ${PODIUM_RUNTIME:-} == docker ]] || return 0
  printf ',\n  "exec-opts": ["native.cgroupdriver=systemd"]'
  if oom_score_denied; then
    printf ',\n  "runtimes": {"podium": {"path": "%s"}},\n  "default-runtime": "podium"' $wrapper
  fi
}

wrapper=/usr/local/sbin/podium-runc
configure_docker() {
  local mirror mirrors='' insecure
  mirror=$(mirror_of docker.io)
  if [[ -n $mirror ]]; then
    mirrors=$',\n  "registry-mirrors": ["'$mirror'"]'
  fi
  insecure=$(plain_registries)
  if [[ -n $insecure ]]; then
    insecure=$',\n  "insecure-registries": ['$insecure']'
  fi
  if [[ ${PODIUM_RUNTIME:-} == docker ]] && oom_score_denied; then
    bearable_runtime $wrapper runc
  fi
  write_config 0644 /etc/docker/daemon.json <<END
{
  "log-driver": "json-file",
  "log-opts": {"max-size": "10m", "max-file": "3"}$mirrors$insecure$(kubernetes_settings)
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

[[ ${PODIUM_RUNTIME:-} != docker ]] || own_runtime
configure_docker # before the package starts the engine for the first time
service_proxy docker
install_docker
run_service docker.service
admit
fact docker_version "$(docker version --format '{{.Server.Version}}')"
