# shellcheck shell=bash
# What happens to a cluster with several control planes in its life: it begins with one and becomes one of three, is raised
# from the default Kubernetes to the next, lies on a shelf until every certificate has expired, and loses a control plane for good. The API is
# asked all the time by the virtual address.

: "${work:?}" "${here:?}"
# shellcheck source-path=SCRIPTDIR source=part-ha.sh
. "$here/part-ha.sh"
# shellcheck source-path=SCRIPTDIR source=part-upgrade.sh
. "$here/part-upgrade.sh"
# shellcheck source-path=SCRIPTDIR source=part-repair.sh
. "$here/part-repair.sh"

run_control-planes() {
  local lab=$1/lab old_version=$kubernetes_default new_version=$kubernetes_after
  kubernetes_packed || return 0
  packed_too "$kubernetes_after" || return 0
  grow_override "$old_version" 1 | lab grow "$lab"
  check "up of 1 + 1 with Kubernetes $old_version" podium up "$lab" --provider incus --no-baseline || {
    skip "several control planes" "up failed"
    return
  }
  check "both are Ready" versions "$lab" "cp1 v$old_version" "w1 v$old_version"
  check "a deployment" kube_on "$lab" cp1 create deployment kept --image=podium.test/podium/hello:1 --replicas=2

  grow_to_three "$lab"
  ran_cluster "$lab" cp1
  raise "$lab"
  ran_cluster "$lab" cp1
  months_later "$lab"
  lose_one "$lab"

  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone grow
}

# grow_override VERSION CONTROL-PLANES.
grow_override() {
  cat <<END
nodes: [{name: cp, count: $2}]
kubernetes: {version: "${1%.*}"}
incus: {image: debian-12}
END
}

# versions LAB "NAME VERSION"...: exactly these nodes, Ready, not cordoned; by the first control plane.
versions() { kubelets_on "$1" cp1 "${@:2}"; }

# grow_to_three LAB: two more control planes beside the one, which keeps its data.
grow_to_three() {
  local lab=$1
  grow_override "$old_version" 3 >"$lab/lab.override.yaml"
  check "up with two more control planes" podium up "$lab" --no-baseline || return 0
  figure "two more control planes" "$(grep -o 'took [0-9.a-z]*' "$work/output" | head -n 1)"
  check "all four are Ready" eventually 60 versions "$lab" "cp1 v$old_version" "cp2 v$old_version" "cp3 v$old_version" "w1 v$old_version"
  check "etcd has three members, all healthy" eventually 30 etcd_members "$lab" cp1 3
  check "one control plane has the virtual address" eventually 30 holder "$lab"
  check "the API answers there" eventually 30 api_answers
  check "the worker's kubelet asks there" prints 'https://kube-api:8443' podium exec "$lab" --on w1 --sudo -- grep server: /etc/kubernetes/kubelet.conf
  check "what was in the cluster is there" eventually 60 prints '^2$' kube_on "$lab" cp3 get deployment kept -o 'jsonpath={.status.readyReplicas}'
  check "a second up changes nothing" idle "$lab"
}

# raise LAB: to the next version, one control plane after the other.
raise() {
  local lab=$1 file=$work/watch.raise
  grow_override "$new_version" 3 >"$lab/lab.override.yaml"
  watch_api "$file"
  check "up to $new_version" podium up "$lab" --no-baseline
  figure "the upgrade of 3 + 1" "$(grep -o 'took [0-9.a-z]*' "$work/output" | head -n 1)"
  : >"$work/watched"
  wait "$watching"
  figure "longest time without an answer by the virtual address" "$(seconds "$(gap "$file")") ($(grep -c none "$file") of $(grep -c . "$file") questions)"
  check "the API was away for less than 10 s" test "$(gap "$file")" -lt 10000
  check "all four have $new_version" eventually 60 versions "$lab" "cp1 v$new_version" "cp2 v$new_version" "cp3 v$new_version" "w1 v$new_version"
  check "etcd is that of the new version everywhere" prints '^3$' podium ssh "$lab" cp2 -- \
    "kubectl -n kube-system get pods -l component=etcd -o jsonpath='{.items[*].spec.containers[0].image}' | grep -o $(image_of "$lab" cp1 etcd) | grep -c ."
  check "its members are healthy" eventually 60 etcd_members "$lab" cp1 3
  check "kube-proxy too, when all control planes are new" prints "kube-proxy:v$new_version" kube_on "$lab" cp1 \
    --namespace kube-system get daemonset kube-proxy -o 'jsonpath={.spec.template.spec.containers[0].image}'
  check "a second up changes nothing" idle "$lab"
}

# months_later LAB: every certificate of every node has expired.
months_later() {
  local lab=$1
  check "every certificate becomes one of 400 days ago" age_certificates "$lab" cp1,cp2,cp3 w1 || return 0
  check "halt" podium halt "$lab"
  check "the machines start" incus start grow-cp1 grow-cp2 grow-cp3 grow-w1
  check "the API refuses" eventually 60 refused "$lab" cp2
  check "the plan says what is wrong" fails 1 podium repair "$lab" --plan -o json
  check "on every control plane" said '"node": "cp3"'
  check "repair" podium repair "$lab"
  figure "the repair of 3 + 1" "$(grep -o 'took [0-9.a-z]*' "$work/output" | head -n 1)"
  check "all four are Ready" eventually 90 versions "$lab" "cp1 v$new_version" "cp2 v$new_version" "cp3 v$new_version" "w1 v$new_version"
  check "etcd has three members, all healthy" eventually 60 etcd_members "$lab" cp1 3
  check "the API answers by the virtual address" eventually 30 api_answers
  check "what was in the cluster is there" eventually 90 prints '^2$' kube_on "$lab" cp2 get deployment kept -o 'jsonpath={.status.readyReplicas}'
  check "a second repair finds nothing" podium repair "$lab"
  check "it says so" said 'nothing is wrong'
}

# lose_one LAB: a control plane is taken out of lab.yaml and pruned: its member of etcd must leave with it.
lose_one() {
  local lab=$1
  sed -i 's/count: 3/count: 2/' "$lab/lab.override.yaml"
  check "two control planes would have no majority without each other, and validate says so" fails 2 podium up "$lab" --prune --yes
  grow_override "$new_version" 1 >"$lab/lab.override.yaml"
  check "up --prune removes two" podium up "$lab" --prune --yes --no-baseline || return 0
  check "the cluster has the others" eventually 60 versions "$lab" "cp1 v$new_version" "w1 v$new_version"
  check "etcd has one member, and it is healthy" eventually 60 etcd_members "$lab" cp1 1
  check "machines are gone" fails 1 incus info grow-cp3
  check "a change is taken" kube_on "$lab" cp1 create configmap after-the-loss
  check "what was in the cluster is there" eventually 60 prints '^2$' kube_on "$lab" cp1 get deployment kept -o 'jsonpath={.status.readyReplicas}'
}
