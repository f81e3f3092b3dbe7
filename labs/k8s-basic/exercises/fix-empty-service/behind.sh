#!/usr/bin/env bash
# The addresses behind the Service are those of the deployment's pods.
behind=$(kubectl -n empty-service get endpointslices -l kubernetes.io/service-name=web -o 'jsonpath={range .items[*].endpoints[?(@.conditions.ready==true)]}{.addresses[0]}{"\n"}{end}' | sort) || exit 2
pods=$(kubectl -n empty-service get pods -l app=web -o 'jsonpath={range .items[?(@.metadata.ownerReferences)]}{.status.podIP}{"\n"}{end}' | sort) || exit 2
[[ $(grep -c . <<<"$pods") == 3 && $behind == "$pods" ]] && exit 0
echo "behind web: ${behind//$'\n'/ } (the deployment's pods: ${pods//$'\n'/ })|web 뒤의 주소: ${behind//$'\n'/ } (디플로이먼트의 파드: ${pods//$'\n'/ })"
exit 1
