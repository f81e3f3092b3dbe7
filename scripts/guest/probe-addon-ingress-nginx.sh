#!/bin/bash
# probe-addon-ingress-nginx.sh: is there the class of Ingresses, and a controller that serves it? Checks once.
#
# Takes:  nothing
. "$(dirname "$0")/lib/step.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

kubectl get ingressclass nginx >/dev/null || die "there is no IngressClass nginx"
available=$(kubectl --namespace ingress-nginx get deployment ingress-nginx-controller --output 'jsonpath={.status.availableReplicas}')
((${available:-0} > 0)) || die "the controller of ingress-nginx does not run yet" "see on the control plane: kubectl --namespace ingress-nginx describe pods"
