# shellcheck shell=bash
# helm.sh: Helm from the Go module proxy, packed as https://get.helm.sh serves it: an archive with a folder of the
# platform's name, and its checksum beside it. Uses build.sh's functions.

: "${work:?}" "${bin:?}" "${served:?}" "${scratch:?}"

pack_helm() {
  local version=4.2.4 folder=$work/src/helm platform archive
  platform=linux-$(dpkg --print-architecture)
  archive=helm-v$version-$platform.tar.gz
  module "$folder" "helm.sh/helm/v4@v$version"
  compile "$folder" helm.sh/helm/v4/cmd/helm "$bin/helm" "-X helm.sh/helm/v4/internal/version.version=v$version"
  rm -rf "$scratch/helm"
  install -D "$bin/helm" "$scratch/helm/$platform/helm"
  mkdir -p "$served/helm"
  tar -C "$scratch/helm" --owner=0 --group=0 -czf "$served/helm/$archive" "$platform"
  (cd "$served/helm" && sha256sum "$archive" >"$archive.sha256sum")
  rm -rf "$scratch/helm"
}
