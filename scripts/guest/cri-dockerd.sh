#!/bin/bash
# cri-dockerd.sh: cri-dockerd, by which the kubelet uses the Docker engine as the container runtime of Kubernetes.
#
# Takes:  PODIUM_NODE, PODIUM_RUNTIME, PODIUM_CRI_SOCKET, PODIUM_KUBERNETES_MINOR (1.36), PODIUM_CRI_DOCKERD_VERSION;
#         optional: PODIUM_MIRROR_GITHUB (instead of https://github.com), the proxy's
# Gives:  cri_dockerd_version
# Alone:  sudo PODIUM_NODE=w1 PODIUM_RUNTIME=docker PODIUM_CRI_SOCKET=unix:///run/cri-dockerd.sock \
#           PODIUM_CRI_DOCKERD_VERSION=0.4.10 PODIUM_KUBERNETES_MINOR=1.36 bash cri-dockerd.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/proxy.sh"
. "$(dirname "$0")/lib/runtime.sh"

program=/usr/local/bin/cri-dockerd
fresh=$keep/run/cri-dockerd

# The release comes without checksums and without a signature: the connection to GitHub alone vouches for it.
install_cri_dockerd() {
  local version=$PODIUM_CRI_DOCKERD_VERSION there url=${PODIUM_MIRROR_GITHUB:-https://github.com}
  there=$("$program" --version 2>&1 || true) # "cri-dockerd 0.4.3 (c9d5a3e)"
  if [[ $there == "cri-dockerd $version "* ]]; then
    return
  fi
  fetch "${url%/}/Mirantis/cri-dockerd/releases/download/v$version/cri-dockerd-$version.$(dpkg --print-architecture).tgz" "$fresh.tgz"
  rm -rf "$fresh"
  mkdir -p "$fresh"
  tar --extract --gzip --file "$fresh.tgz" --directory "$fresh" --strip-components 1 ||
    retry_later "what came for cri-dockerd $version is no archive of it" "is it a captive portal's answer, or a broken mirror?"
  install -m 0755 "$fresh/cri-dockerd" "$program.podium"
  service_changes
  mv -f "$program.podium" "$program"
  rm -rf "$fresh" "$fresh.tgz"
}

# The release has no units in it: this is the one of its packaging/systemd, without the socket that starts it.
configure_cri_dockerd() {
  local pause
  pause=$(pause_image "$PODIUM_KUBERNETES_MINOR")
  write_config 0644 /etc/systemd/system/cri-docker.service <<END
[Unit]
Description=CRI Interface for Docker Application Container Engine
Documentation=https://mirantis.github.io/cri-dockerd/
After=network-online.target docker.service
Wants=network-online.target docker.service

[Service]
Type=notify
ExecStart=$program --container-runtime-endpoint $PODIUM_CRI_SOCKET --network-plugin cni${pause:+ --pod-infra-container-image $pause}
TimeoutSec=0
RestartSec=2
Restart=always
LimitNOFILE=infinity
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
Delegate=yes
KillMode=process

[Install]
WantedBy=multi-user.target
END
}

own_runtime
driver=$(docker info --format '{{.CgroupDriver}}')
[[ $driver == systemd ]] ||
  die "Docker on $PODIUM_NODE uses the cgroup driver $driver, and the kubelet systemd" "see there: cat /etc/docker/daemon.json; journalctl -u docker"
# Kubernetes port-forward and the kubelet's probes of pods go by these.
apt_install conntrack socat
install_cri_dockerd
configure_cri_dockerd
service_proxy cri-docker
run_service cri-docker.service
configure_crictl "$PODIUM_CRI_SOCKET"
version=$("$program" --version)
version=${version#* }
fact cri_dockerd_version "${version%% *}"
