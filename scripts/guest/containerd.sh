#!/bin/bash
# containerd.sh: containerd as the container runtime of Kubernetes, with systemd's cgroups.
#
# Takes:  PODIUM_NODE, PODIUM_RUNTIME, PODIUM_CRI_SOCKET, PODIUM_KUBERNETES_MINOR (1.36), PODIUM_SOURCE (upstream:
#         Docker's repository; distro: the distribution's package); optional: PODIUM_CONTAINERD_LEAST (2.2: what that
#         Kubernetes wants), PODIUM_MIRROR_DOCKER (instead of https://download.docker.com), PODIUM_MIRROR_REGISTRY (for every registry),
#         PODIUM_MIRROR_REGISTRIES (lines "registry url"), the proxy's
# Gives:  containerd_version
# Alone:  sudo PODIUM_NODE=w1 PODIUM_SOURCE=distro PODIUM_RUNTIME=containerd \
#           PODIUM_CRI_SOCKET=unix:///run/containerd/containerd.sock PODIUM_KUBERNETES_MINOR=1.36 bash containerd.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/docker-repository.sh"
. "$(dirname "$0")/lib/proxy.sh"
. "$(dirname "$0")/lib/runtime.sh"

install_containerd() {
  if [[ $PODIUM_SOURCE == distro ]]; then
    apt_install containerd
    return
  fi
  docker_repository
  apt_install containerd.io
}

# configure_containerd: the settings that differ from the defaults, in the format of the version that is there.
configure_containerd() {
  local major=$1 pause sandbox='' oom=false plugins="bin_dir = '/opt/cni/bin'"
  pause=$(pause_image "$PODIUM_KUBERNETES_MINOR")
  # Distributions look for CNI plugins elsewhere than Kubernetes puts them; containerd 2.1 renamed the setting.
  if [[ $(containerd config default) == *bin_dirs* ]]; then
    plugins="bin_dirs = ['/opt/cni/bin']"
  fi
  if oom_score_denied; then
    oom=true
  fi
  case $major in
    1)
      if [[ -n $pause ]]; then
        sandbox="sandbox_image = \"$pause\""
      fi
      write_config 0644 /etc/containerd/config.toml <<END
version = 2

[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = $oom
  $sandbox

[plugins."io.containerd.grpc.v1.cri".cni]
  $plugins
  conf_dir = "/etc/cni/net.d"

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = true
END
      ;;
    2)
      if [[ -n $pause ]]; then
        sandbox="sandbox = '$pause'"
      fi
      write_config 0644 /etc/containerd/config.toml <<END
version = 3

[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = $oom

[plugins.'io.containerd.cri.v1.runtime'.cni]
  $plugins
  conf_dir = '/etc/cni/net.d'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = true

[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = '/etc/containerd/certs.d'

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  $sandbox
END
      ;;
    *) die "podium does not know how containerd $major is configured" "is there a newer podium?" ;;
  esac

  # What counts is what containerd makes of the file.
  local dump
  dump=$(containerd config dump)
  grep -q 'SystemdCgroup = true' <<<"$dump" ||
    die "containerd does not take SystemdCgroup from /etc/containerd/config.toml" "compare: containerd config dump"
  [[ -z $pause ]] || grep -q -F "$pause" <<<"$dump" ||
    die "containerd does not take the image $pause from /etc/containerd/config.toml" "compare: containerd config dump"
}

# use_registry NAME URL: images of the registry NAME come from URL first. containerd reads these files at each pull.
use_registry() {
  local name=$1 url=${2%/} rest=
  # A mirror below a path, such as a proxy cache of Harbor's, says where its API begins.
  if [[ ${url#*//} == */* ]]; then
    rest=$'\n  override_path = true'
  fi
  write_file 0644 "/etc/containerd/certs.d/$name/hosts.toml" <<END
# by podium
[host."$url"]
  capabilities = ["pull", "resolve"]$rest
END
}

use_registries() {
  local name url file wanted=" "
  if [[ -n ${PODIUM_MIRROR_REGISTRY:-} ]]; then
    use_registry _default "$PODIUM_MIRROR_REGISTRY"
    wanted+="_default "
  fi
  while read -r name url; do
    [[ -n $name ]] || continue
    use_registry "$name" "$url"
    wanted+="$name "
  done <<<"${PODIUM_MIRROR_REGISTRIES:-}"
  for file in /etc/containerd/certs.d/*/hosts.toml; do
    [[ -f $file ]] || continue
    name=${file%/hosts.toml}
    if [[ $wanted != *" ${name##*/} "* ]] && grep -q '^# by podium' "$file"; then
      say "removing $file"
      rm -f "$file"
    fi
  done
}

# read_version sets version to that of the containerd that is there.
read_version() {
  version=$(containerd --version) # "containerd github.com/containerd/containerd/v2 v2.2.0 1c4457e00facac03ce1d75f7b6777a7a851e5c41"
  version=${version#* * }
  version=${version%% *}
  version=${version#v} # Debian's says "1.6.20~ds1"
}

# new_enough: whether that Kubernetes takes it.
new_enough() {
  local least=${PODIUM_CONTAINERD_LEAST:-0}
  [[ $(printf '%s\n' "$least" "$version" | sort --version-sort | head -n 1) == "$least" ]]
}

own_runtime
install_containerd
read_version
if ! new_enough && [[ $PODIUM_SOURCE != distro ]]; then # the cluster was made with an older Kubernetes
  apt_upgrade containerd.io
  read_version
fi
new_enough ||
  die "$PODIUM_NODE has containerd $version, and that Kubernetes wants $PODIUM_CONTAINERD_LEAST or later" \
    "does Docker's archive, or its mirror, have a newer one? or write source: upstream, or an older kubernetes.version, in lab.yaml"
use_registries
configure_containerd "${version%%.*}"
service_proxy containerd
run_service containerd.service
configure_crictl "$PODIUM_CRI_SOCKET"
fact containerd_version "$version"
