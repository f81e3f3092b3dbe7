#!/bin/bash
# cri-o.sh: CRI-O as the container runtime of Kubernetes, of the same minor version, with systemd's cgroups.
#
# Takes:  PODIUM_NODE, PODIUM_RUNTIME, PODIUM_CRI_SOCKET, PODIUM_KUBERNETES_MINOR (1.36); optional: PODIUM_MIRROR_CRI_O
#         (instead of https://download.opensuse.org/repositories/isv:/cri-o:), PODIUM_KEY_CRI_O (its key's
#         fingerprint), PODIUM_MIRROR_REGISTRY (for every
#         registry), PODIUM_MIRROR_REGISTRIES (lines "registry url"), the proxy's
# Gives:  crio_version
# Alone:  sudo PODIUM_NODE=w1 PODIUM_RUNTIME=cri-o PODIUM_CRI_SOCKET=unix:///var/run/crio/crio.sock \
#           PODIUM_KUBERNETES_MINOR=1.36 bash cri-o.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/proxy.sh"
. "$(dirname "$0")/lib/runtime.sh"

# One repository per minor version, as of Kubernetes; a mirror has a Release.key of its own.
install_crio() {
  local there repository=${PODIUM_MIRROR_CRI_O:-https://download.opensuse.org/repositories/isv:/cri-o:}
  repository=${repository%/}/stable:/v$PODIUM_KUBERNETES_MINOR/deb
  apt_key "$repository/Release.key" /etc/apt/keyrings/podium-cri-o.asc "${PODIUM_KEY_CRI_O:-}"
  apt_source podium-cri-o <<END
Types: deb
URIs: $repository/
Suites: /
Signed-By: /etc/apt/keyrings/podium-cri-o.asc
END
  there=$(crio --version 2>/dev/null) || true
  apt_install "cri-o=$PODIUM_KUBERNETES_MINOR.*"
  # With another minor version of Kubernetes comes another CRI-O, which the old one that runs knows nothing of.
  [[ $there == "$(crio --version)" ]] || service_changes
  command -v crictl >/dev/null || apt_install cri-tools
}

# low_runtime: CRI-O's own crun or runc, whichever comes first.
low_runtime() {
  local program
  for program in /usr/libexec/crio/crun /usr/libexec/crio/runc /usr/bin/crio-crun /usr/bin/crio-runc /usr/bin/crun /usr/bin/runc /usr/sbin/runc; do
    if [[ -x $program ]]; then
      printf '%s\n' "$program"
      return
    fi
  done
  die "CRI-O on $PODIUM_NODE has neither crun nor runc" "see there: dpkg --listfiles cri-o"
}

configure_crio() {
  local pause program image='' runtime=''
  pause=$(pause_image "$PODIUM_KUBERNETES_MINOR")
  if [[ -n $pause ]]; then
    image="pause_image = \"$pause\""
  fi
  if oom_score_denied; then
    program=$(low_runtime)
    bearable_runtime /usr/local/sbin/podium-runtime "$program"
    runtime='default_runtime = "podium"

[crio.runtime.runtimes.podium]
runtime_path = "/usr/local/sbin/podium-runtime"
runtime_root = "/run/podium-runtime"
runtime_type = "oci"'
  fi
  write_config 0644 /etc/crio/crio.conf.d/90-podium.conf <<END
# By podium: what differs from the defaults, or must not.
[crio.image]
$image

[crio.network]
network_dir = "/etc/cni/net.d/"
plugin_dirs = ["/opt/cni/bin"]

[crio.runtime]
cgroup_manager = "systemd"
$runtime
END
}

# The package brings a bridge for a node that is alone. It is off as it comes; before 1.31 it was on, and with it pods
# of two nodes have the same addresses.
end_own_bridge() {
  local file
  for file in /etc/cni/net.d/*crio*bridge*.conflist; do
    [[ -f $file ]] || continue
    say "taking $file away"
    mv -f "$file" "$file.disabled"
  done
}

# mirror_table REGISTRY URL: one table of registries.conf. A registry is not asked unless its mirror fails.
mirror_table() {
  local insecure=false
  [[ $2 != http://* ]] || insecure=true
  printf '\n[[registry]]\nprefix = "%s"\n' "$1"
  [[ $1 == \** ]] || printf 'location = "%s"\n' "$1"
  printf '\n[[registry.mirror]]\nlocation = "%s"\ninsecure = %s\n' "${2#*://}" $insecure
}

# use_registries: a mirror for every registry is said by the ends of their names, since a lone star is no prefix. The
# longest prefix wins.
use_registries() {
  local file=/etc/containers/registries.conf.d/90-podium.conf name url tables=
  if [[ -n ${PODIUM_MIRROR_REGISTRY:-} ]]; then
    for name in io com dev org net; do
      tables+=$(mirror_table "*.$name" "${PODIUM_MIRROR_REGISTRY%/}")$'\n'
    done
  fi
  while read -r name url; do
    [[ -z $name ]] || tables+=$(mirror_table "$name" "${url%/}")$'\n'
  done <<<"${PODIUM_MIRROR_REGISTRIES:-}"
  if [[ -z $tables ]]; then
    remove_config $file
    return
  fi
  write_config 0644 $file <<END
# By podium: mirrors. See man containers-registries.conf.
$tables
END
}

own_runtime
use_registries
service_proxy crio
install_crio
configure_crio
end_own_bridge
run_service crio.service
configure_crictl "$PODIUM_CRI_SOCKET"

version=$(crio --version | grep -m 1 -i -E '^(crio )?version') # "crio version 1.36.1"
fact crio_version "${version##*[: ]}"
