# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# kubernetes-repository.sh: Kubernetes' own packages. Takes PODIUM_KUBERNETES_MINOR (1.36), PODIUM_KUBERNETES_VERSION (the
# same, or exact: 1.36.2), PODIUM_MIRROR_KUBERNETES, PODIUM_KEY_KUBERNETES (fingerprint of the signing key). Needs
# apt.sh.

# kubernetes_repository: its key and its source: one repository per minor version. A mirror has a Release.key of its own.
kubernetes_repository() {
  local repository=${PODIUM_MIRROR_KUBERNETES:-https://pkgs.k8s.io}
  repository=${repository%/}/core:/stable:/v$PODIUM_KUBERNETES_MINOR/deb
  apt_key "$repository/Release.key" /etc/apt/keyrings/podium-kubernetes.asc "${PODIUM_KEY_KUBERNETES:-}"
  apt_source podium-kubernetes <<END
Types: deb
URIs: $repository/
Suites: /
Signed-By: /etc/apt/keyrings/podium-kubernetes.asc
END
}

# kubernetes_version: the version of its packages as a pattern for apt, which takes a star at the end only: 1.36.* is any
# patch, 1.36.2-* any build of that one.
kubernetes_version() {
  if [[ $PODIUM_KUBERNETES_VERSION == "$PODIUM_KUBERNETES_MINOR" ]]; then
    printf '%s.*\n' "$PODIUM_KUBERNETES_MINOR"
  else
    printf '%s-*\n' "$PODIUM_KUBERNETES_VERSION"
  fi
}
