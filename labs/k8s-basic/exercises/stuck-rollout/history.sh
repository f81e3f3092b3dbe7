#!/usr/bin/env bash
# A ReplicaSet of the deployment that is there now has the first version.
old=$(kubectl -n rollout get replicasets -l app=web -o 'jsonpath={range .items[*]}{.spec.template.spec.containers[0].image}{"\n"}{end}') || exit 2
new=$(kubectl -n rollout get deployment web --ignore-not-found -o 'jsonpath={.spec.template.spec.containers[0].image}') || exit 2
[[ $new == ngnix:* ]] && {
  echo "the deployment still asks for $new|디플로이먼트가 아직 $new 이미지를 요청합니다"
  exit 1
}
grep -q '^nginx:1.27$' <<<"$old" && exit 0
echo "no ReplicaSet of web has nginx:1.27|nginx:1.27을 가진 web의 레플리카셋이 없습니다"
exit 1
