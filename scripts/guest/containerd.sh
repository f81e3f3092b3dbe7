#!/bin/bash
# containerd.sh: containerd as the container runtime of Kubernetes.
#
# Takes:  PODIUM_NODE, PODIUM_SOURCE
# Gives:  containerd_version
# Alone:  sudo PODIUM_NODE=w1 PODIUM_SOURCE=upstream bash containerd.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/apt.sh"

. /etc/os-release
if [[ $PODIUM_SOURCE == distro ]]; then
  apt_install containerd
else
  mkdir -p /etc/apt/keyrings
  curl -fsSL --retry 3 -o /etc/apt/keyrings/docker.asc "${PODIUM_MIRROR_DOCKER:-https://download.docker.com}/linux/$ID/gpg"
  write_file 0644 /etc/apt/sources.list.d/docker.sources <<END
Types: deb
URIs: ${PODIUM_MIRROR_DOCKER:-https://download.docker.com}/linux/$ID
Suites: $VERSION_CODENAME
Components: stable
Architectures: $(dpkg --print-architecture)
Signed-By: /etc/apt/keyrings/docker.asc
END
  apt_update
  apt_install containerd.io
fi

changed=no
write_file 0644 /etc/containerd/config.toml <<'END'
version = 3

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = true
END
systemctl enable containerd
[[ $changed == no ]] || systemctl restart containerd
fact containerd_version "$(containerd --version)"
