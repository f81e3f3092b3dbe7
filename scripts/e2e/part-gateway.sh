# shellcheck shell=bash
# The lesson of the Gateway API on a real cluster, with the controller that can be built here, Traefik: a Gateway at an
# address of MetalLB's, a route by name and path, a change of the route, and a route that nothing serves.

: "${work:?}" "${here:?}"
# shellcheck source-path=SCRIPTDIR source=part-kubernetes.sh
. "$here/part-kubernetes.sh"

run_gateway() {
  local lab=$1/lab
  check "Kubernetes is built and packed" "$here/kubernetes.sh" pack || return
  check "MetalLB and Traefik are built and packed" "$here/kubernetes.sh" more metallb gateway-api traefik || return
  know_mirror
  lab k8s-basic "$lab" <<'END'
nodes: [{name: w, count: 1}]
kubernetes: {addons: [metallb, traefik]}
incus: {image: debian-12}
END
  check "up of 1 + 1 with MetalLB and Traefik" podium up "$lab" --provider incus --no-baseline || {
    podium ssh "$lab" cp -- kubectl get pods -A -o wide
    return
  }
  check "a second up changes nothing" idle "$lab"
  check "its class is accepted" prints '^True$' kube "$lab" get gatewayclass traefik -o 'jsonpath={.status.conditions[?(@.type=="Accepted")].status}'
  ran_cluster "$lab"
  ran gateway-api "$(kube "$lab" get crd gateways.gateway.networking.k8s.io -o 'jsonpath={.metadata.annotations.gateway\.networking\.k8s\.io/bundle-version}')"
  gateway_lesson "$lab"
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone k8s-basic
}

gateway_lesson() {
  local lab=$1 address
  shop_and_route / | podium ssh "$lab" cp -- kubectl apply -f - >/dev/null
  check "a deployment of 2 rolls out" kube "$lab" rollout status deployment/shop --timeout=60s
  check "the Gateway is programmed, with an address of MetalLB's" eventually 30 prints '^192\.168\.56\.[0-9]+ True$' \
    kube "$lab" get gateway front -o 'jsonpath={.status.addresses[0].value} {.status.conditions[?(@.type=="Programmed")].status}'
  address=$(kube "$lab" get gateway front -o 'jsonpath={.status.addresses[0].value}')
  check "the route is accepted" eventually 30 prints '^True$' kube "$lab" get httproute shop -o 'jsonpath={.status.parents[0].conditions[?(@.type=="Accepted")].status}'
  check "the shop answers through the Gateway, from outside of the cluster" eventually 30 prints '^hello from shop-' by_gateway shop.example "$address/"
  check "no other name does" prints '^404$' status_by_gateway other.example "$address/"

  shop_and_route /only | podium ssh "$lab" cp -- kubectl apply -f - >/dev/null
  check "a route of one path leaves the others" eventually 30 prints '^404$' status_by_gateway shop.example "$address/"
  check "and serves that one" prints '^200$' status_by_gateway shop.example "$address/only"

  kube "$lab" patch httproute shop --type json -p '[{"op":"replace","path":"/spec/rules/0/backendRefs/0/name","value":"nothing"}]' >/dev/null
  check "a route to a Service that is not there says so" eventually 30 prints '^False BackendNotFound$' kube "$lab" get httproute shop -o \
    'jsonpath={.status.parents[0].conditions[?(@.type=="ResolvedRefs")].status} {.status.parents[0].conditions[?(@.type=="ResolvedRefs")].reason}'
  check "and answers with an error" prints '^50[0-9]$' status_by_gateway shop.example "$address/only"
}

# by_gateway NAME ADDRESS/PATH: what the Gateway answers to who asks for that name.
by_gateway() { inside curl -sS --max-time 5 -H "Host: $1" "http://$2"; }

status_by_gateway() { inside curl -sS --max-time 5 -o /dev/null -w '%{http_code}\n' -H "Host: $1" "http://$2"; }

# shop_and_route PATH: a shop of two pods, a Gateway, and a route from a name and a path to it.
shop_and_route() {
  cat <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: hello, image: podium.test/podium/hello:1}]
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec:
  gatewayClassName: traefik
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: front}]
  hostnames: [shop.example]
  rules:
    - matches: [{path: {type: PathPrefix, value: $1}}]
      backendRefs: [{name: shop, port: 80}]
END
}
