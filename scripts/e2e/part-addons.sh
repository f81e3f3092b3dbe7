# shellcheck shell=bash
# The add-ons whose software can be built here, on a real cluster: Helm, metrics-server, MetalLB, and the kinds of the
# Gateway API. This kernel has neither the server nor the client of NFS, so of that only the refusal is seen.

: "${work:?}" "${here:?}"

run_addons() {
  local lab=$1/lab
  check "Kubernetes is built and packed" "$here/kubernetes.sh" pack || return
  check "the add-ons are built and packed" "$here/kubernetes.sh" more helm metrics-server metallb gateway-api || return
  know_mirror
  addons_override | lab k8s-basic "$lab"
  check "up of 1 + 2 with add-ons" podium up "$lab" --provider incus --no-baseline || {
    podium exec "$lab" --on cp -- kubectl get pods -A -o wide
    return
  }
  tail -n 30 "$work/output"
  check "a second up changes nothing" idle "$lab"
  check "kubectl top knows all nodes" eventually 60 top_knows "$lab" cp w1 w2
  check "kubectl top knows pods" eventually 60 prints '^kube-apiserver-cp +[0-9]+m +[0-9]+Mi' kube "$lab" top pods --namespace kube-system
  check "Helm is there" prints '^v4\.[0-9]+\.[0-9]+' podium ssh "$lab" cp -- helm version --short
  ran_cluster "$lab"
  ran helm "$(podium ssh "$lab" cp -- helm version --template '{{.Version}}')"
  check "Helm makes a chart, and installs it" helm_installs "$lab"
  balanced_service "$lab"
  scripts_again "$lab"
  gateway_kinds "$lab"
  nfs_refused "$lab"
  addons_override | sed 's/, metallb//' >"$lab/lab.override.yaml"
  check "an add-on that is taken out is left, and said to be" prints 'left as it is: cp/addon-metallb' podium up "$lab" --no-baseline
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone k8s-basic
}

addons_override() {
  cat <<'YAML'
nodes: [{name: w, count: 2}]
kubernetes: {addons: [helm, metrics-server, metallb]}
incus: {image: debian-12}
YAML
}

kube() {
  local lab=$1
  shift
  podium ssh "$lab" cp -- kubectl "$@"
}

# top_knows LAB NODE...: the use of all nodes is in the table.
top_knows() {
  local lab=$1 table node
  shift
  table=$(kube "$lab" top nodes --no-headers) || return
  printf '%s\n' "$table"
  for node in "$@"; do
    grep -q -E "^$node +[0-9]+m +[0-9]+% +[0-9]+Mi +[0-9]+%" <<<"$table" || return
  done
}

# helm_installs LAB: Helm's own example of a chart, without its image: only whether Helm and the cluster understand each
# other.
helm_installs() {
  podium ssh "$1" cp -- 'cd /tmp && rm -rf demo && helm create demo && helm install demo ./demo --set replicaCount=0 && helm list --output json' |
    tee /dev/stderr | grep -q '"status":"deployed"' && podium ssh "$1" cp -- helm uninstall demo --wait
}

# balanced_service LAB: a Service of type LoadBalancer answers at an address of the pool, seen from a node and from
# outside of the cluster.
balanced_service() {
  local lab=$1 address
  podium ssh "$lab" cp -- kubectl apply -f - >/dev/null <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: hello, image: podium.test/podium/hello:1}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
YAML
  check "a deployment of 2 rolls out" kube "$lab" rollout status deployment/web --timeout=60s
  check "its Service gets the first address of the pool" eventually 20 prints '^192\.168\.56\.240$' \
    kube "$lab" get service web -o 'jsonpath={.status.loadBalancer.ingress[0].ip}'
  address=192.168.56.240
  check "which answers on the control plane" eventually 20 prints '^hello from web-' podium ssh "$lab" cp -- curl -sS --max-time 5 "http://$address/"
  check "and on a worker" eventually 20 prints '^hello from web-' podium ssh "$lab" w2 -- curl -sS --max-time 5 "http://$address/"
  check "and from outside of the cluster" eventually 20 prints '^hello from web-' inside curl -sS --max-time 5 "http://$address/"
  announced_elsewhere "$lab" "$address"
}

# announced_elsewhere LAB ADDRESS: when the node that announces the address is switched off, the other one takes it over.
announced_elsewhere() {
  local lab=$1 address=$2 node start
  node=$(announcer "$lab")
  check "MetalLB says which worker announces it" prints '^w[12]$' printf '%s\n' "$node" || return
  podium exec "$lab" --on "$node" --sudo -- 'systemd-run --quiet --on-active=1 systemctl poweroff' >/dev/null
  check "that one is switched off" eventually 30 prints "^$node +.*(stopped|off)" podium status "$lab"
  start=$(now)
  check "the other one answers" eventually 60 prints '^hello from web-' inside curl -sS --max-time 2 "http://$address/"
  figure "from switched off to an answer" "$(seconds $(($(now) - start)))"
  check "and MetalLB says so" eventually 60 announces_not "$lab" "$node"
  check "up brings the first one back" podium up "$lab" --no-baseline
}

# announcer LAB: which node announces the only address.
announcer() { kube "$1" get servicel2statuses.metallb.io --namespace metallb-system -o 'jsonpath={.items[0].status.node}'; }

# announces_not LAB NODE: another node announces it.
announces_not() {
  local node
  node=$(announcer "$1")
  printf '%s\n' "$node"
  [[ $node == w[12] && $node != "$2" ]]
}

# scripts_again LAB: the add-ons' scripts, run again, change nothing. kubectl's own word is not enough: it says "configured"
# of objects that stay as they are.
scripts_again() {
  local lab=$1 before
  before=$(generations "$lab")
  check "the add-ons' scripts run again" podium up "$lab" --force addon-metallb --force addon-metrics-server --force addon-helm --no-baseline -v
  check "and write nothing" not_said ' created$|writing |downloading '
  check "and change no object" same_generations "$lab" "$before"
}

# generations LAB: how often what was asked of the add-ons' objects has changed.
generations() {
  kube "$1" get deployments,daemonsets,apiservices,validatingwebhookconfigurations,ipaddresspools,l2advertisements,customresourcedefinitions --all-namespaces \
    -o 'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.generation}{"\n"}{end}'
}

same_generations() {
  [[ $(grep -c . <<<"$2") -gt 10 ]] && diff <(printf '%s\n' "$2") <(generations "$1")
}

# not_said PATTERN: holds when what the assertion before printed has no line with the pattern.
not_said() { ! grep -E -e "$1" "$work/output"; }

# gateway_kinds LAB: the API server takes the kinds of the Gateway API as their release has them. Their controller cannot be
# built here.
gateway_kinds() {
  local lab=$1 mirror
  mirror=$PODIUM_MIRROR_GITHUB
  check "the Gateway API's kinds are taken" podium ssh "$lab" cp -- \
    "curl -sSfL '$mirror/kubernetes-sigs/gateway-api/releases/download/v1.5.1/standard-install.yaml' | kubectl apply --server-side -f -"
  check "and known" prints '^gatewayclasses +gc +gateway.networking.k8s.io/v1 +false +GatewayClass' kube "$lab" api-resources --api-group gateway.networking.k8s.io
}

# nfs_refused LAB: the step says what this kernel lacks.
nfs_refused() {
  local lab=$1
  addons_override | sed 's/metallb]/metallb, nfs]/' >"$lab/lab.override.yaml"
  if grep -q -w nfsd /proc/filesystems; then
    skip "NFS" "this kernel has a server; nobody has written what to look at then"
    return
  fi
  check "NFS on a kernel without it fails" fails 1 podium up "$lab" --no-baseline
  check "and says so" said 'the kernel of cp has no NFS server \(nfsd\)'
}
