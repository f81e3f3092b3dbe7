# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# addon.sh: what the add-ons of the cluster share; they run on the first control plane. Takes PODIUM_MIRROR_GITHUB. Needs
# step.sh and download.sh.
export KUBECONFIG=/etc/kubernetes/admin.conf

github=${PODIUM_MIRROR_GITHUB:-https://github.com}
github=${github%/}

# release_file REPOSITORY TAG NAME FILE: a file that was published with a release.
release_file() { fetch "$github/$1/releases/download/$2/$3" "$4"; }

# repository_file REPOSITORY TAG PATH FILE: a file as the repository has it at a tag. GitHub redirects this to
# raw.githubusercontent.com, so one mirror stands for both.
repository_file() { fetch "$github/$1/raw/$2/$3" "$4"; }

# rolled_out NAMESPACE KIND/NAME: waits until the pods of a workload are ready.
rolled_out() {
  kubectl --namespace "$1" rollout status "$2" --timeout=300s ||
    retry_later "the pods of $2 are not ready within five minutes" "see on the control plane: kubectl --namespace $1 describe pods"
}

# has_workload NAMESPACE KIND/NAME IMAGE: whether a workload is there and its first container has that image.
has_workload() {
  [[ $(kubectl --namespace "$1" get "$2" --ignore-not-found --output 'jsonpath={.spec.template.spec.containers[0].image}') == "$3" ]]
}

# apply_server_side FILE: for definitions too large for the annotation by which kubectl remembers what it applied.
apply_server_side() { kubectl apply --server-side --force-conflicts --filename "$1"; }

# established DEFINITION...: waits until the API server takes objects of these kinds.
established() {
  kubectl wait --for condition=Established --timeout 60s "${@/#/crd/}" ||
    retry_later "the API server does not take the kinds of $*" "see on the control plane: kubectl describe crd $1"
}

# gateway_api VERSION: the kinds Gateway, HTTPRoute and others, which every controller of the Gateway API serves.
gateway_api() {
  release_file kubernetes-sigs/gateway-api "v$1" standard-install.yaml "$keep/gateway-api.yaml"
  apply_server_side "$keep/gateway-api.yaml"
  established gatewayclasses.gateway.networking.k8s.io
}
