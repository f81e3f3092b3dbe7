#!/bin/bash
# addon-linkerd.sh: the service mesh Linkerd and its command on the control plane. A pod joins the mesh when its namespace
# or its template has the annotation "linkerd.io/inject: enabled": https://linkerd.io/2/features/proxy-injection/
#
# Takes:  PODIUM_LINKERD_VERSION (edge-26.9.1), PODIUM_GATEWAY_API_VERSION, whose definitions Linkerd reads; optional:
#         PODIUM_MIRROR_GITHUB (instead of https://github.com), the proxy's
# Gives:  linkerd_version
# Alone:  sudo PODIUM_LINKERD_VERSION=edge-26.9.1 PODIUM_GATEWAY_API_VERSION=1.5.1 bash addon-linkerd.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/addon.sh"

program=/usr/local/bin/linkerd
file=linkerd2-cli-$PODIUM_LINKERD_VERSION-linux-$(dpkg --print-architecture)

# The checksum is published beside the program: https://linkerd.io/2/getting-started/ fetches it the same way.
install_command() {
  local sum
  if [[ $("$program" version --client --short 2>/dev/null) == "$PODIUM_LINKERD_VERSION" ]]; then
    return
  fi
  release_file linkerd/linkerd2 "$PODIUM_LINKERD_VERSION" "$file.sha256" "$keep/run/linkerd.sum"
  read -r sum _ <"$keep/run/linkerd.sum" || true # a last line without its newline is one too
  [[ ${sum:-} =~ ^[0-9a-f]{64}$ ]] || retry_later "$file.sha256 of Linkerd's release holds no checksum" "is it a captive portal's answer, or a broken mirror?"
  fetch_archive "$github/linkerd/linkerd2/releases/download/$PODIUM_LINKERD_VERSION/$file" "$keep/run/linkerd" "$sum"
  install -m 0755 "$keep/run/linkerd" "$program.podium"
  mv -f "$program.podium" "$program"
  rm -f "$keep/run/linkerd" "$keep/run/linkerd.sum"
}

# put COMMAND...: applies the manifests that linkerd prints. They go by a file that only root may read: the keys of the
# mesh are in them, made again with each installation.
put() {
  local manifest=$keep/run/linkerd.yaml
  "$program" "$@" >"$manifest" || {
    rm -f "$manifest"
    retry_later "linkerd $1 failed" "see the lines above, and on the control plane: linkerd check --pre"
  }
  kubectl apply --filename "$manifest"
  rm -f "$manifest"
}

install_command
if ! kubectl get customresourcedefinitions httproutes.gateway.networking.k8s.io >/dev/null 2>&1; then
  gateway_api "$PODIUM_GATEWAY_API_VERSION"
fi

# What an installation that was cut off has left is completed by upgrade, which keeps the keys; install would refuse.
applied=$keep/linkerd.applied
if ! has_text "$applied" "$PODIUM_LINKERD_VERSION"; then
  if kubectl --namespace linkerd get configmap linkerd-config >/dev/null 2>&1; then
    put upgrade --crds
    put upgrade
  else
    put install --crds
    put install
  fi
fi
for part in identity destination proxy-injector; do
  rolled_out linkerd "deployment/linkerd-$part"
done
write_file 0644 "$applied" <<<"$PODIUM_LINKERD_VERSION"
fact linkerd_version "$PODIUM_LINKERD_VERSION"
