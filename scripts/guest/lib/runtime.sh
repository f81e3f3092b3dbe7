# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# runtime.sh: what the steps need of a container runtime, whichever of the three it is. Takes PODIUM_RUNTIME (containerd,
# docker or cri-o) and, for docker, PODIUM_MIRROR_REGISTRY and PODIUM_MIRROR_REGISTRIES. Needs step.sh.

# own_runtime: from here on the node has the runtime that the lab asks for. A node of a cluster keeps the one it joined
# with: its containers and images lie in that one.
own_runtime() {
  local there=containerd # of a node that joined when podium had no other
  [[ ! -s $keep/runtime ]] || there=$(cat "$keep/runtime")
  if [[ -e $keep/kube-member && $there != "$PODIUM_RUNTIME" ]]; then
    die "$PODIUM_NODE is in a cluster with the runtime $there, and lab.yaml asks for runtime: $PODIUM_RUNTIME" \
      "write runtime: $there again; for the other runtime recreate the lab: podium destroy, then podium up"
  fi
  write_file 0600 "$keep/runtime" <<<"$PODIUM_RUNTIME"
}

# pause_image MINOR: the one that kubeadm expects, so that it is fetched once; without kubeadm the runtime's own default.
pause_image() {
  command -v kubeadm >/dev/null || return 0
  kubeadm config images list --kubernetes-version "v$1.0" | grep /pause: || true
}

# configure_crictl SOCKET: where crictl, for people, finds the runtime.
configure_crictl() {
  write_file 0644 /etc/crictl.yaml <<END
runtime-endpoint: $1
image-endpoint: $1
END
}

# oom_score_denied: a child may not run at a lower OOM score than its parent without CAP_SYS_RESOURCE, which some
# containers lack.
oom_score_denied() { in_container && ! (echo -999 >/proc/self/oom_score_adj) 2>/dev/null; }

# bearable_runtime PATH PROGRAM: PATH runs PROGRAM (runc, crun) and asks for no more than is allowed where
# oom_score_denied: each container's OOM score is raised, and a privileged one does without CAP_SYS_RESOURCE. containerd
# does both by itself; Docker and CRI-O have no setting for it.
bearable_runtime() {
  write_config 0755 "$1" <<END
#!/bin/bash
# By podium: $2, for a node that is a container without CAP_SYS_RESOURCE. It may not lower the OOM score of a process:
# a container that asks for a lower one than this process has gets this one's. Nor can it give that capability away.
own=\$(cat /proc/self/oom_score_adj)
bundle=.
arguments=("\$@")
create=no
while ((\$#)); do
  case \$1 in
    create | run) create=yes ;;
    --bundle | -b) bundle=\$2 ;;
    --bundle=* | -b=*) bundle=\${1#*=} ;;
  esac
  shift
done
config=\$bundle/config.json
if [[ \$create == yes && -f \$config ]]; then
  asked=\$(grep -o -E '"oomScoreAdj": *-?[0-9]+' "\$config" | grep -o -E -e '-?[0-9]+\$')
  if [[ -n \$asked ]] && ((asked < own)); then
    sed -i -E "s/(\"oomScoreAdj\": *)-?[0-9]+/\\\\1\$own/" "\$config"
  fi
  sed -i -E -e 's/"CAP_SYS_RESOURCE", *//g' -e 's/(, *)?"CAP_SYS_RESOURCE"//g' "\$config"
fi
exec $2 "\${arguments[@]}"
END
}

# registry_of IMAGE: docker.io of redis:7, registry.k8s.io of registry.k8s.io/pause:3.10.
registry_of() {
  local first=${1%%/*}
  if [[ $1 == */* && $first == *[.:]* ]]; then
    printf '%s\n' "$first"
  else
    echo docker.io
  fi
}

# mirror_of REGISTRY: the mirror that lab.yaml names for it, if any.
mirror_of() {
  local name url
  while read -r name url; do
    if [[ $name == "$1" ]]; then
      printf '%s\n' "${url%/}"
      return
    fi
  done <<<"${PODIUM_MIRROR_REGISTRIES:-}"
  url=${PODIUM_MIRROR_REGISTRY:-}
  printf '%s\n' "${url%/}"
}

# image_there IMAGE: whether the runtime has the image, which names its registry and its tag.
image_there() {
  case $PODIUM_RUNTIME in
    containerd) [[ -n $(ctr --namespace k8s.io images list --quiet "name==$1") ]] ;;
    docker) docker image inspect "$1" >/dev/null 2>&1 ;;
    cri-o) crictl inspecti --quiet "$1" >/dev/null 2>&1 ;;
  esac
}

# pull_image IMAGE: fetches it, by way of the mirrors, if it is not there.
pull_image() {
  ! image_there "$1" || return 0
  say "pulling $1"
  case $PODIUM_RUNTIME in
    docker) docker_pull "$1" ;;
    containerd)
      if command -v crictl >/dev/null; then
        crictl pull "$1"
      else
        ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d "$1" >/dev/null
      fi
      ;;
    cri-o) crictl pull "$1" ;;
  esac || retry_later "$1 cannot be pulled" "does $PODIUM_NODE reach the registry? a mirror is set under mirrors: in lab.yaml"
}

# docker_pull IMAGE: Docker itself knows mirrors of docker.io only. What another registry's mirror has is pulled by the
# mirror's name, and gets the image's own.
docker_pull() {
  local registry mirror copy
  registry=$(registry_of "$1")
  mirror=$(mirror_of "$registry")
  if [[ $registry == docker.io || -z $mirror ]]; then
    docker pull --quiet "$1"
    return
  fi
  copy=${mirror#*://}/${1#"$registry"/}
  docker pull --quiet "$copy" && docker tag "$copy" "$1" && docker rmi --no-prune "$copy" >/dev/null
}
