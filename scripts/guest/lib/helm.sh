# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# helm.sh: Helm, the package manager of Kubernetes. Takes PODIUM_HELM_VERSION, PODIUM_MIRROR_HELM (instead of
# https://get.helm.sh). Needs step.sh and download.sh.

# install_helm: that version, as /usr/local/bin/helm.
install_helm() {
  local url=${PODIUM_MIRROR_HELM:-https://get.helm.sh} platform archive program=/usr/local/bin/helm there sum
  platform=linux-$(dpkg --print-architecture)
  archive=helm-v$PODIUM_HELM_VERSION-$platform.tar.gz
  there=$("$program" version --short 2>/dev/null) || there=none
  # It says v4.3.1, and behind a + what it was built from.
  [[ ${there%%+*} != "v$PODIUM_HELM_VERSION" ]] || return 0
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
}
