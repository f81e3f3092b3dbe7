# shellcheck shell=bash
# The built-in lab cicd on a real cluster, without Jenkins itself, whose packages come from servers that are not to be had
# here: the registry, the account that Jenkins has, and each stage of the sample pipeline, run as Jenkins would run it.

: "${work:?}" "${here:?}"

run_cicd() {
  local lab=$1/lab
  check "Kubernetes is built and packed" "$here/kubernetes.sh" pack || return
  check "a base image is packed" "$here/kubernetes.sh" more busybox || return
  lab cicd "$lab" <<'END'
nodes: [{name: w, count: 1}]
incus: {image: debian-12}
steps: [{name: jenkins, script: no-jenkins.sh, probe: no-jenkins.sh}]
END
  # In Jenkins's place, its account alone.
  cat >"$lab/no-jenkins.sh" <<'END'
id jenkins >/dev/null 2>&1 || useradd --system --user-group --home-dir /var/lib/jenkins --create-home --shell /bin/bash jenkins
END
  check "up of 1 + 1 with a registry beside it" podium up "$lab" --provider incus --no-baseline || {
    podium destroy "$lab" --yes >/dev/null
    return
  }
  check "a second up changes nothing" idle "$lab"
  ran_cluster "$lab"
  ran_package "$lab" ci docker-registry
  check "the right to deliver is Jenkins's alone" prints '600 jenkins$' podium exec "$lab" --on ci --sudo -- stat -c '%a %U' /var/lib/jenkins/.kube/config
  check "Jenkins may deliver to its namespace" prints '^yes' jenkins_may "$lab" create deployments.apps
  check "and not read its secrets" prints '^no' jenkins_may "$lab" get secrets
  check "nor touch another namespace" prints '^no' jenkins_may "$lab" create deployments.apps --namespace kube-system
  check "nor see the nodes" prints '^no' jenkins_may "$lab" list nodes
  check "it is not the administrator's file" fails 1 podium exec "$lab" --on ci --sudo -- grep -q client-certificate /var/lib/jenkins/.kube/config

  local number
  for number in 1 2; do
    check "stage build, of build $number" as_jenkins "$lab" "/srv/app/build.sh $number"
    check "stage deploy" as_jenkins "$lab" "/srv/app/deploy.sh $number"
    check "stage check" prints "Build $number<" as_jenkins "$lab" "/srv/app/check.sh $number"
  done
  check "both builds are in the registry" prints '"tags":\["1","2"\]|"tags":\["2","1"\]' podium ssh "$lab" cp -- curl -sf http://192.168.56.12:5000/v2/hello/tags/list
  check "a build that is not there does not replace one that runs" fails 124 as_jenkins "$lab" "timeout 20 /srv/app/deploy.sh 99"
  check "and the last one still answers" prints 'Build 2<' as_jenkins "$lab" "/srv/app/check.sh 2"
  check "destroy" podium destroy "$lab" --yes
  check "nothing is left behind" gone cicd
  skip "Jenkins, its plugins, the job in its own hands" "its servers are not to be had here"
}

# as_jenkins LAB COMMAND: on Jenkins's machine, with Jenkins's account and groups.
as_jenkins() { podium ssh "$1" ci -- sudo -n -i -u jenkins -- bash -c "$2"; }

jenkins_may() {
  local lab=$1
  shift
  as_jenkins "$lab" "kubectl auth can-i $*" || true
}
