# shellcheck shell=bash
# A real cluster whose certificates were made 400 days ago and good for a year: the API refuses, and podium repair makes
# it whole. The clock of a container is its host's, so that the dates are moved instead: every certificate is signed
# again by its own authority with openssl, which sees another day by libfaketime.

: "${work:?}" "${here:?}"
# shellcheck source-path=SCRIPTDIR source=part-kubernetes.sh
. "$here/part-kubernetes.sh"

run_repair() {
  local lab=$1/lab
  kubernetes_packed || return 0
  cluster_override 1 | lab k8s-basic "$lab"
  check "up of 1 + 1" podium up "$lab" --provider incus --no-baseline || {
    skip "the repair" "up failed"
    return
  }
  ran_cluster "$lab"
  check "a repair of a new lab finds nothing" podium repair "$lab" --plan
  workload_to_keep "$lab"
  check "every certificate becomes one of 400 days ago" age_certificates "$lab" cp w1 || return 0
  check "halt" podium halt "$lab"
  check "a plan starts nothing" fails 1 podium repair "$lab" --plan
  check "the machines are still halted" prints '^w1 +stopped' podium status "$lab"
  check "the machines start" start_machines
  check "the API refuses" eventually 60 refused "$lab"
  check "the plan says what is wrong" fails 1 podium repair "$lab" --plan -o json
  check "certificates of the control plane" said 'certificates have expired.*apiserver.crt'
  check "the worker's certificate" said '"node": "w1"'
  check "and has changed nothing" refused "$lab"
  check "repair" podium repair "$lab"
  figure "the repair" "$(grep -o 'took [0-9.a-z]*' "$work/output" | head -n 1)"
  sed 's/^/    /' "$work/output" | grep -v '^    [0-9:]* ' | cut -c 1-200
  check "all nodes are Ready" eventually 60 nodes_ready "$lab" "cp 192.168.56.10" "w1 192.168.56.11"
  check "what was in the cluster is there" eventually 60 prints '^2$' kube "$lab" get deployment kept -o 'jsonpath={.status.readyReplicas}'
  check "all system pods run" eventually 90 all_pods_run "$lab"
  check "pods can be read" kube "$lab" --namespace kube-system logs daemonset/kube-proxy --tail=1
  check "a second repair finds nothing" podium repair "$lab"
  check "it says so" said 'nothing is wrong'
  check "up changes nothing" idle "$lab"
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone k8s-basic
}

workload_to_keep() {
  kube "$1" create deployment kept --image=podium.test/podium/hello:1 --replicas=2 >/dev/null
  check "a deployment" kube "$1" rollout status deployment/kept --timeout=60s
}

# age_certificates LAB CONTROL-PLANES WORKER: on these nodes, NODE,NODE; what each of them runs to sign again is written here, for it
# is this run's alone.
age_certificates() {
  local lab=$1 planes=$2 worker=$3
  local first=${planes%%,*}
  cat >"$work/age.sh" <<'END'
set -euo pipefail
DEBIAN_FRONTEND=noninteractive apt-get -q -y install libfaketime faketime >/dev/null

# again CERTIFICATE KEY CA: the same certificate, of 400 days ago.
again() {
  openssl x509 -in "$1" -x509toreq -copy_extensions copyall -signkey "$2" -out /run/age.csr 2>/dev/null
  faketime -f -400d openssl x509 -req -in /run/age.csr -CA "$3.crt" -CAkey "$3.key" -days 365 -copy_extensions copyall -out "$1.old" 2>/dev/null
  mv "$1.old" "$1"
}

# again_inside KUBECONFIG: the same for the one inside.
again_inside() {
  sed -n 's/^ *client-certificate-data: *//p' "$1" | base64 -d >/run/age.crt
  sed -n 's/^ *client-key-data: *//p' "$1" | base64 -d >/run/age.key
  again /run/age.crt /run/age.key pki/ca
  sed -i "s/^\( *client-certificate-data: \).*/\1$(base64 -w 0 </run/age.crt)/" "$1"
}

# again_kubelet: its certificate and key are in one file.
again_kubelet() {
  local file=/var/lib/kubelet/pki/kubelet-client-current.pem
  openssl x509 -in "$file" -out /run/age.crt
  openssl pkey -in "$file" -out /run/age.key
  again /run/age.crt /run/age.key "$1"
  cat /run/age.crt /run/age.key >"$(readlink -f "$file")"
}

cd /etc/kubernetes
case $1 in
  control-plane)
    for name in apiserver apiserver-kubelet-client; do again "pki/$name.crt" "pki/$name.key" pki/ca; done
    again pki/front-proxy-client.crt pki/front-proxy-client.key pki/front-proxy-ca
    for name in etcd/server etcd/peer etcd/healthcheck-client apiserver-etcd-client; do again "pki/$name.crt" "pki/$name.key" pki/etcd/ca; done
    for name in admin super-admin controller-manager scheduler; do
      [[ ! -f $name.conf ]] || again_inside "$name.conf" # the first one alone has super-admin.conf
    done
    again_kubelet pki/ca
    cp admin.conf /root/.kube/config
    ;;
  worker) again_kubelet /run/cluster ;;
esac
END
  podium ssh "$lab" "$first" -- sudo cat /etc/kubernetes/pki/ca.key >"$work/cluster.key" &&
    podium ssh "$lab" "$first" -- sudo cat /etc/kubernetes/pki/ca.crt >"$work/cluster.crt" &&
    podium -C "$lab" copy "$work/age.sh" :/tmp/age.sh &&
    podium -C "$lab" copy "$work/cluster.key" "$worker:/tmp/cluster.key" &&
    podium -C "$lab" copy "$work/cluster.crt" "$worker:/tmp/cluster.crt" &&
    podium exec "$lab" --on "$worker" --sudo -- 'mv /tmp/cluster.crt /tmp/cluster.key /run/ && bash /tmp/age.sh worker' &&
    podium exec "$lab" --on "$planes" --sudo -- bash /tmp/age.sh control-plane &&
    prints 'Certificate will expire' podium exec "$lab" --on "$planes" --sudo -- 'openssl x509 -in /etc/kubernetes/pki/apiserver.crt -noout -checkend 0 || true'
}

start_machines() { incus start k8s-basic-cp k8s-basic-w1; }

# refused LAB [CONTROL-PLANE]: the API does not take anybody's word any more, or does not run at all.
refused() {
  local said
  said=$(podium exec "$1" --on "${2:-cp}" --sudo -- kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes 2>&1) && return 1
  printf '%s\n' "$said"
  grep -q -e 'expired' -e 'refused' -e 'EOF' <<<"$said" # haproxy, which has nobody to ask, hangs up
}
