#!/bin/bash
# addon-helm.sh: Helm, the package manager of Kubernetes, on the control plane.
#
# Takes:  PODIUM_HELM_VERSION; optional: PODIUM_MIRROR_HELM (instead of https://get.helm.sh), the proxy's
# Gives:  helm_version
# Alone:  sudo PODIUM_HELM_VERSION=4.3.1 bash addon-helm.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/helm.sh"

install_helm
fact helm_version "$PODIUM_HELM_VERSION"
