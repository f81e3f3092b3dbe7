# shellcheck shell=bash
# metrics-server.sh: metrics-server from the Go module proxy, as the image of registry.k8s.io; its manifest is made from
# the module's own kustomization, as the project's release does it. Uses build.sh's functions.

: "${work:?}" "${bin:?}" "${served:?}"

pack_metrics_server() {
  local version=0.9.0 flags="-X k8s.io/client-go/pkg/version.gitVersion=v0.9.0" folder origin
  folder=$work/src/metrics-server
  module "$folder" "sigs.k8s.io/metrics-server@v$version"
  compile "$folder" sigs.k8s.io/metrics-server/cmd/metrics-server "$bin/metrics-server" "$flags"
  one metrics-server/metrics-server "v$version" "$bin/metrics-server" /metrics-server
  origin=$(module_folder "sigs.k8s.io/metrics-server@v$version")
  mkdir -p "$served/github/kubernetes-sigs/metrics-server/releases/download/v$version"
  "$bin/kubectl" kustomize "$origin/manifests/overlays/release" \
    >"$served/github/kubernetes-sigs/metrics-server/releases/download/v$version/components.yaml"
}
