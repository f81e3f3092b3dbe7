#!/usr/bin/env bash
# How large the simulator is, and how much of it podium uses: builds podium so that it counts which statements run,
# goes the ways that README.md, the labs and their exercises go, and prints lines, statements entered, and the
# functions that nothing entered. It writes only below a temporary folder.
#
#   scripts/bench/simulator.sh                   # a few minutes
#   scripts/bench/simulator.sh --tests           # also runs the tests that run podium's scripts on simulated nodes
#   scripts/bench/simulator.sh --keep PROFILE    # keeps the profile as well: go tool cover -html PROFILE
# shellcheck disable=SC2016 # what stands in single quotes is for the nodes
set -euo pipefail
cd "$(dirname "$0")/../.."

room=provision/machine/sim
work=$(mktemp -d)
tests='' keep=''
while (($#)); do
  case $1 in
    --tests) tests=1 ;;
    --keep) keep=$(realpath "$2") && shift ;;
    *) printf 'simulator.sh: %s: unknown\n' "$1" >&2 && exit 2 ;;
  esac
  shift
done
# shellcheck disable=SC2317 # called by trap
finish() {
  cd /
  for lab in "$work"/*/lab.yaml; do
    "$work/podium" destroy "${lab%/lab.yaml}" --yes >/dev/null 2>&1 || true
  done
  rm -rf "$work"
}
trap finish EXIT
# The main package is counted too, as it is what writes the counters down; the figures leave it out.
go build -cover -coverpkg="podium/cmd/podium,podium/$room/..." -o "$work/podium" ./cmd/podium
export GOCOVERDIR=$work/cover
mkdir "$GOCOVERDIR" "$work/home"

# podium WORD...: runs it on the lab of the current folder and says so when it ends otherwise than expected.
podium() {
  if ! HOME=$work/home timeout 300 "$work/podium" "$@" >"$work/said" 2>&1 </dev/null; then
    printf '%s: podium %s\n' "${PWD##*/}" "$*" >&2
    tail -n 12 "$work/said" >&2
    broken=1
  fi
}
broken=0

# on NODE LINE: a line that a person types on a node; it may fail, as some of the exercises want it to.
on() { HOME=$work/home timeout 100 "$work/podium" exec --on "$1" -- "$2" >>"$work/typed" 2>&1 </dev/null || true; }

# open NAME: a folder of its own, with the lab.yaml of standard input.
open() {
  mkdir "$work/$1"
  cd "$work/$1"
  if [[ ${2-} == builtin ]]; then
    podium init "$1"
  else
    cat >lab.yaml
  fi
}

# close: the lab is removed; the simulator ends with it, and writes down what it entered.
close() {
  podium destroy --yes
  cd "$top"
}
top=$PWD

# What README shows first, and every lab from its making to its end.
everyday() {
  podium up --provider sim
  podium up
  podium status
  podium exec -- uptime
  podium copy lab.yaml :/srv/ --sudo
  podium copy :/etc/hosts './hosts-{node}'
}

# hints: what podium's own messages tell people to look at, on a node that has it.
hints() {
  on cp 'kubectl get nodes -o wide; kubectl get pods -A; kubectl describe node; kubectl describe pods -A; kubectl get events -A; systemctl status kubelet'
  on cp 'date; ip address; ip route; systemctl --failed; swapon; lsmod; sysctl net.ipv4.ip_forward; apt-cache policy kubeadm; journalctl -u kubelet -n 5'
  on cp 'sudo crictl ps -a; sudo crictl logs etcd; containerd config dump; sudo kubeadm certs check-expiration; helm version; helm list -A; crio config; docker info'
  on cp 'kubectl describe crd gatewayclasses.gateway.networking.k8s.io; kubectl describe gatewayclass nginx; linkerd check --pre; linkerd check'
  on cp 'kubectl get clusterrolebindings -o wide; kubectl --namespace monitoring get secrets,serviceaccounts; kubectl -n kube-system logs deployment/coredns'
  on cp 'ls -l /etc/kubernetes; df -h; systemctl list-units; journalctl -n 5'
  on w1 'systemctl status podium-pod-network; journalctl -u containerd; ls /etc/containerd/certs.d; swapon --show; hostname'
  on files 'sudo exportfs -v; systemctl status nfs-server; apt-cache policy nfs-common'
}

# typed LINE...: a person at the prompt of podium ssh.
typed() {
  printf '%s\r' "$@" exit | timeout 60 script -qec "env HOME=$work/home $work/podium ssh cp" /dev/null >>"$work/typed" 2>&1 || true
}

cluster=$(printf '%s\n' '  - {name: cp, roles: [control-plane]}' '  - {name: w, count: 2, roles: [worker]}')

for lab in docker k8s-basic k8s-ha k8s-external-etcd cicd monitoring msa; do
  open "$lab" builtin
  everyday
  # The exercises of the lab's own README.md, as far as a rehearsal goes.
  case $lab in
    docker) on box 'docker ps -a; docker info' ;;
    k8s-basic)
      on cp 'kubectl get nodes -o wide; kubectl get pods -A -o wide'
      on cp 'kubectl create deployment web --image=nginx --replicas=3 && kubectl rollout status deployment/web'
      on cp 'kubectl delete pod "$(kubectl get pods -o name | head -n 1 | cut -d/ -f2)"; kubectl get pods -o wide'
      on cp 'kubectl expose deployment web --port=80 --type=NodePort; kubectl get service web; kubectl describe service web'
      on cp 'curl -sf "http://192.168.56.11:$(kubectl get service web -o jsonpath="{.spec.ports[0].nodePort}")/"'
      on cp 'kubectl drain w2 --ignore-daemonsets; kubectl get nodes; kubectl uncordon w2'
      on cp 'kubectl set image deployment/web nginx=nginx:alpine; kubectl rollout status deployment/web'
      on cp 'kubectl rollout history deployment/web; kubectl rollout undo deployment/web; kubectl describe pod; kubectl logs deployment/web'
      on cp 'timeout 3 kubectl get nodes -w'
      podium exec --role worker --group -- systemctl is-active kubelet containerd
      podium exec --on w3 --sudo -- systemctl stop kubelet
      podium logs cp kubeadm-init
      podium snapshot save before
      podium reset --to before --yes
      podium reset --yes
      podium halt
      podium up
      podium repair --plan
      hints
      typed 'kubectl get nodes' 'cd /etc/kubernetes' 'for f in *; do' 'echo "$f"' 'done' 'sudo systemctl status kubelet' 'nosuchcommand'
      ;;
    k8s-ha)
      podium exec --role control-plane -- ip -o -4 address show to 192.168.56.9
      on cp2 'cat /etc/keepalived/keepalived.conf /etc/haproxy/haproxy.cfg; grep kube-api /etc/hosts; journalctl -u keepalived'
      on cp2 'sudo pkill -KILL -x etcd'
      podium exec --on cp1 --sudo -- 'cd /etc/kubernetes/pki/etcd; curl --cacert ca.crt --cert server.crt --key server.key https://192.168.56.10:2379/health'
      podium halt --on cp1
      on w1 'curl -sk -m 1 https://192.168.56.9:8443/readyz'
      on cp2 'kubectl get nodes; kubectl create deployment web --image=nginx --replicas=2; kubectl -n kube-system get lease'
      podium up
      podium exec --on cp1 --sudo -- systemctl stop haproxy
      podium exec --on cp1 --sudo -- systemctl start haproxy
      ;;
    k8s-external-etcd)
      on cp1 'kubectl get pods -A -o wide; sudo grep etcd /etc/kubernetes/manifests/kube-apiserver.yaml; kubectl create configmap seen --from-literal=a=b'
      on etcd1 'sudo cat /etc/etcd/etcd.env; systemctl cat etcd; sudo -i etcdctl member list --write-out table'
      on etcd1 'sudo -i etcdctl endpoint status --cluster --write-out table; sudo -i etcdctl get --prefix --keys-only /registry/minions'
      on w1 'curl -k https://192.168.56.21:2379/health'
      on cp1 'sudo curl -k --cert /etc/kubernetes/etcd/client.crt --key /etc/kubernetes/etcd/client.key https://192.168.56.21:2379/health'
      podium halt --on etcd1
      podium up
      ;;
    cicd)
      on ci 'sudo -i -u jenkins /srv/app/build.sh 100'
      on cp 'kubectl --namespace apps get role deliver -o yaml; kubectl --namespace apps rollout undo deployment/hello'
      on ci 'sudo -i -u jenkins kubectl get secrets; sudo -i -u jenkins kubectl auth can-i --list'
      on cp 'curl http://192.168.56.13:5000/v2/hello/tags/list; timeout 2 kubectl --namespace apps get pods -w'
      podium exec --on ci --sudo -- journalctl -u jenkins -n 50
      ;;
    monitoring)
      podium exec --on w1 --sudo -- systemctl stop prometheus-node-exporter
      on mon 'curl -sf "http://127.0.0.1:9090/api/v1/query?query=up"; curl -s http://127.0.0.1:9093/api/v2/alerts'
      on cp 'kubectl run crash --image=busybox -- false; kubectl get pods; kubectl delete pod crash'
      on cp 'kubectl auth can-i get nodes --subresource=proxy --as=system:serviceaccount:monitoring:prometheus; kubectl get clusterrole podium-prometheus -o yaml'
      podium exec --on w2 --sudo -- 'fallocate -l 3G /fill && df -h / && rm /fill'
      ;;
    msa)
      on cp 'kubectl config set-context --current --namespace shop; kubectl get pods; kubectl scale deployment stock --replicas=0; kubectl get deployments'
      on cp 'kubectl scale deployment stock --replicas=1; kubectl logs deployment/orders; kubectl rollout restart deployment'
      ;;
  esac
  podium repair
  close
done

# The same lab with other runtimes, pod networks and sources.
variant() { # NAME TEXT
  open "$1" <<<"name: $1
nodes:
$cluster
$2"
  podium up --provider sim --no-baseline
  podium up
  podium repair
  hints
  close
}
variant calico 'kubernetes: {cni: calico}'
variant cilium 'kubernetes: {cni: cilium}'
variant bridge 'kubernetes: {cni: bridge}'
variant docker-runtime $'runtime: docker\nmirrors: {registry: "http://10.0.0.2:5000", apt: "http://10.0.0.2/ubuntu"}\nkubernetes: {version: "1.35"}'
variant cri-o $'runtime: cri-o\nkubernetes: {version: "1.36"}'
variant distro $'box: bento/debian-13\nsource: distro\nkubernetes: {version: "1.35"}'
variant debian-12 $'box: bento/debian-12\nproxy: {http: "http://pupil:secret@10.0.0.3:3128"}\nkubernetes: {version: "1.36"}'
variant monitoring-inside $'kubernetes: {version: "1.36"}\nmonitoring: {place: cluster}'

open addons <<<"name: addons
nodes:
$cluster
  - {name: files, roles: [nfs]}
kubernetes: {addons: [helm, metrics-server, metallb, gateway, nfs, headlamp, linkerd, ingress-nginx]}"
podium up --provider sim --no-baseline
podium up
hints
on cp 'kubectl top nodes; kubectl top pods -A; helm list -A; helm version --short; linkerd check; kubectl get gateway -A; kubectl get storageclass,ingressclass'
on cp 'kubectl create deployment web --image=nginx; kubectl expose deployment web --port=80 --type=LoadBalancer; kubectl get service web'
on w2 'curl -sf http://192.168.56.240/ http://192.168.56.10:30466/'
on cp "printf '%s\n' 'apiVersion: v1' 'kind: PersistentVolumeClaim' 'metadata: {name: data}' 'spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}' | kubectl apply -f - && kubectl get pvc data"
close

# The shop with a mesh, as the lab's README.md says.
open msa-mesh < <(sed -e 's/# addons: .linkerd.*/addons: [linkerd]/' -e 's/SHOP: shop .*/SHOP: mesh/' "$top/labs/msa/lab.yaml")
cp -r "$top"/labs/msa/{shop,mesh,shop.sh} .
podium up --provider sim --no-baseline
close

# A cluster's life: raised by a minor, pruned, its certificates expired, its files broken, repaired.
open life <<<'name: life
nodes:
  - {name: cp, count: 3, roles: [control-plane]}
  - {name: w, count: 2, roles: [worker]}
kubernetes: {version: "1.35"}'
podium up --provider sim
sed -i 's/1\.35/1.36/' lab.yaml
podium up
sed -i 's/count: 2/count: 1/' lab.yaml
podium up --prune --yes
podium exec --on w1 --sudo -- 'swapon -a; systemctl stop containerd kubelet; sed -i /kube-api/d /etc/hosts'
podium exec --on cp2 --sudo -- 'rm -f /etc/kubernetes/scheduler.conf /etc/kubernetes/manifests/kube-scheduler.yaml'
HOME=$work/home timeout 60 "$work/podium" repair --plan >/dev/null 2>&1 || true
podium repair
close
open shelf <<<"name: shelf
nodes:
$cluster
kubernetes: {}"
podium up --provider sim
podium halt
printf 'clock: 9600h\n' >sim.yaml
HOME=$work/home timeout 300 "$work/podium" up --sim-file sim.yaml >"$work/said" 2>&1 || true
podium repair
podium status
close

# Every fault of a sim.yaml; up is asked again until all is well.
open faults <<<"name: faults
nodes:
$cluster
kubernetes: {}
steps:
  - {name: own, on: [worker], after: [kubeadm-join], script: own.sh}"
printf '%s\n' '#!/usr/bin/env bash' 'set -euo pipefail' 'printf "seed=%s\n" "$RANDOM" >>"$PODIUM_FACTS"' >own.sh
cat >sim.yaml <<'FAULTS'
seed: 7
boot: 1s..2s
durations: {apt-get update: 100ms..300ms}
ssh: {refuse: 2, drop: [{command: apt-get install, times: 1, after: 100ms}]}
reboot: [{command: kubeadm join, after: 10ms}]
fail: [{command: kubeadm init, times: 1, message: "timed out waiting for the condition"}]
apt_lock: 2s
downloads: 2
disk: 20GiB
clock: -26h
nodes:
  w1: {slow: 3}
  w2: {disk_full: true, host_key: swapped}
FAULTS
for _ in 1 2 3; do
  HOME=$work/home timeout 300 "$work/podium" up --provider sim --sim-file sim.yaml --no-baseline >"$work/said" 2>&1 || true
done
close

# The figures.
size=$(find "$room" -name '*.go' ! -name '*_test.go' -exec cat {} + | wc -l)
go tool covdata textfmt -i="$GOCOVERDIR" -o="$work/all"
grep -v '^podium/cmd/' "$work/all" >"$work/profile"
if [[ $tests ]]; then
  go test -coverprofile "$work/tests" -coverpkg="podium/$room/..." "./$room" >"$work/said" 2>&1 || { tail -n 40 "$work/said" >&2 && broken=1; }
  grep -v '^mode:' "$work/tests" >>"$work/profile"
fi
[[ -z $keep ]] || cp "$work/profile" "$keep"
# A block may stand in the profile of several processes: it is entered when one of them entered it.
awk -v size="$size" 'NR > 1 { n[$1] = $2; if ($3) hit[$1] = 1 }
  END { for (b in n) { all += n[b]; if (b in hit) entered += n[b] }
        printf "lines %d\nstatements %d, entered %d: %.1f %%\n", size, all, entered, 100 * entered / all }' "$work/profile"
printf 'functions that nothing entered:\n'
go tool cover -func="$work/profile" | awk '$NF == "0.0%" { print "  " $1, $2; n++ } END { print "  in all", n + 0 }'
exit "$broken"
