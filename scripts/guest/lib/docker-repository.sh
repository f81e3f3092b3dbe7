# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# docker-repository.sh: Docker's own packages. Takes PODIUM_MIRROR_DOCKER, PODIUM_KEY_DOCKER (its fingerprint). Needs apt.sh.

# docker_repository: its key and its source.
docker_repository() {
  local ID VERSION_CODENAME url=${PODIUM_MIRROR_DOCKER:-https://download.docker.com}
  # shellcheck source=/dev/null
  . /etc/os-release
  url=${url%/}/linux/$ID
  apt_key "$url/gpg" /etc/apt/keyrings/podium-docker.asc "${PODIUM_KEY_DOCKER:-}"
  apt_source podium-docker <<END
Types: deb
URIs: $url
Suites: $VERSION_CODENAME
Components: stable
Signed-By: /etc/apt/keyrings/podium-docker.asc
END
}
