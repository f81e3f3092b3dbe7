# shellcheck shell=bash
# gateway-api.sh: the definitions of the Gateway API from its Go module, in one file as its releases have them. Uses
# build.sh's functions.

: "${served:?}"

pack_gateway_api() {
  local version=1.5.1 origin folder file
  origin=$(module_folder "sigs.k8s.io/gateway-api@v$version")
  folder=$served/github/kubernetes-sigs/gateway-api/releases/download/v$version
  mkdir -p "$folder"
  for file in "$origin"/config/crd/standard/*.yaml; do
    printf -- '---\n'
    cat "$file"
  done >"$folder/standard-install.yaml"
}
