# shellcheck shell=bash
# The built-in lab msa, unchanged, on a real cluster: orders go through gateway, services, databases and bus.

: "${work:?}" "${here:?}"

run_msa() {
  local lab=$1/lab
  check "the shop's images are packed" "$here/kubernetes.sh" more msa || return
  check "Kubernetes is built and packed" "$here/kubernetes.sh" pack || return
  lab msa "$lab" <<'END'
nodes: [{name: w, count: 1}]
incus: {image: debian-12}
END
  check "up of 1 + 1 with the shop" podium up "$lab" --provider incus || {
    podium exec "$lab" --on cp -- kubectl --namespace shop get pods -o wide
    podium destroy "$lab" --yes >/dev/null
    return
  }
  check "a second up changes nothing" idle "$lab"
  ran_cluster "$lab"
  check "the page is there" eventually 60 prints '<title>Shop</title>' shop "$lab" /
  check "the catalogue is there" eventually 60 prints '"id": "tea"' shop "$lab" /api/products
  check "orders and stock are there" eventually 60 prints '"cup": 3' shop "$lab" /api/stock
  check "an order is taken" prints '"state": "placed"' order "$lab" cup 2
  check "stock confirms it by the bus" eventually 10 prints '"state": "confirmed"' shop "$lab" /api/orders/1
  check "and has two fewer" prints '"cup": 1' shop "$lab" /api/stock
  check "more than there is" prints '"state": "placed"' order "$lab" cup 2
  check "is refused" eventually 10 prints '"state": "refused"' shop "$lab" /api/orders/2
  check "what is not sold cannot be ordered" fails 22 order "$lab" gold 1

  kubectl_shop "$lab" scale deployment stock --replicas=0 >/dev/null
  kubectl_shop "$lab" wait pod -l app=stock --for=delete --timeout=60s >/dev/null || true
  check "an order is taken while stock is down" prints '"state": "placed"' order "$lab" tea 1
  kubectl_shop "$lab" scale deployment stock --replicas=2 >/dev/null
  check "and settled when stock is back" eventually 60 prints '"state": "confirmed"' shop "$lab" /api/orders/3
  check "once, although two hear of it" eventually 60 prints '"tea": 19' shop "$lab" /api/stock

  sed -i 's/"Folding fan"/"Paper fan"/' "$lab/shop/code/catalog.py"
  check "a change of the code and up" podium up "$lab"
  check "restarts the services" eventually 60 prints '^4$' fresh_pods "$lab"
  check "the real kustomize takes the mesh's variant too" podium ssh "$lab" cp -- sudo kubectl kustomize /var/lib/podium/files/shop/mesh
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone msa
}

kubectl_shop() {
  local lab=$1
  shift
  podium ssh "$lab" cp -- kubectl --namespace shop "$@"
}

# shop LAB PATH [CURL-OPTION...]: asks the gateway at the worker's port, from the control plane.
shop() {
  local lab=$1 path=$2
  shift 2
  podium ssh "$lab" cp -- curl -fsS --max-time 10 "$@" "http://192.168.56.11:30080$path"
}

order() { shop "$1" /api/orders -X POST --data "{\"product\": \"$2\", \"quantity\": $3}"; }

# fresh_pods LAB: how many service pods run the newest code.
fresh_pods() {
  local lab=$1 newest
  newest=$(kubectl_shop "$lab" get deployment catalog -o 'jsonpath={.spec.template.spec.volumes[0].configMap.name}')
  kubectl_shop "$lab" get pods --field-selector status.phase=Running -o 'jsonpath={range .items[*]}{.spec.volumes[0].configMap.name}{"\n"}{end}' | grep -c -x "$newest"
}
