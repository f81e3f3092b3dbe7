#!/bin/bash
# addon-helm.sh: Helm, the package manager of Kubernetes, on the control plane.
#
# Takes:  PODIUM_HELM_VERSION; optional: PODIUM_MIRROR_HELM (instead of https://get.helm.sh), the proxy's
# Gives:  helm_version
# Alone:  sudo PODIUM_HELM_VERSION=4.3.1 bash addon-helm.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"

url=${PODIUM_MIRROR_HELM:-https://get.helm.sh}
platform=linux-$(dpkg --print-architecture)
archive=helm-v$PODIUM_HELM_VERSION-$platform.tar.gz
program=/usr/local/bin/helm

there=$("$program" version --short 2>/dev/null) || there=none
# It says v4.3.1, and behind a + what it was built from.
if [[ ${there%%+*} != "v$PODIUM_HELM_VERSION" ]]; then
  # The checksum is published beside the archive: https://helm.sh/docs/intro/install/
  fetch "${url%/}/$archive.sha256sum" "$keep/run/helm.sum"
  read -r sum _ <"$keep/run/helm.sum" || true # a last line without its newline is one too
  [[ ${sum:-} =~ ^[0-9a-f]{64}$ ]] || retry_later "${url%/}/$archive.sha256sum holds no checksum" "is it a captive portal's answer, or a broken mirror?"
  fetch_archive "${url%/}/$archive" "$keep/run/helm.tar.gz" "$sum"
  rm -rf "$keep/run/helm"
  mkdir -p "$keep/run/helm"
  tar --extract --gzip --file "$keep/run/helm.tar.gz" --directory "$keep/run/helm" --strip-components 1
  install -m 0755 "$keep/run/helm/helm" "$program.podium"
  mv -f "$program.podium" "$program"
  rm -rf "$keep/run/helm" "$keep/run/helm.tar.gz" "$keep/run/helm.sum"
fi
fact helm_version "$PODIUM_HELM_VERSION"
