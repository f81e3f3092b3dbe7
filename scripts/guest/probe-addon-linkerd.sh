#!/bin/bash
# probe-addon-linkerd.sh: does Linkerd run, and would it give new pods their proxy? Checks once.
#
# Takes:  nothing
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

for part in identity destination proxy-injector; do
  available=$(kubectl --namespace linkerd get deployment "linkerd-$part" --output 'jsonpath={.status.availableReplicas}')
  ((${available:-0} > 0)) || die "linkerd-$part does not run" "see on the control plane: kubectl --namespace linkerd describe pods"
done
hook=$(kubectl get mutatingwebhookconfigurations linkerd-proxy-injector-webhook-config --output 'jsonpath={.webhooks[0].clientConfig.service.name}')
[[ $hook == linkerd-proxy-injector ]] || die "the API server does not know Linkerd's injector" "see on the control plane: linkerd check"
