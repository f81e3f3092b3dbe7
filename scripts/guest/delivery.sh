#!/bin/bash
# delivery.sh: what Jenkins needs to build images and deliver them: Docker, kubectl, and its own right in the cluster.
#
# Takes:  PODIUM_NODE, PODIUM_KUBERNETES_MINOR (1.36), PODIUM_KUBERNETES_VERSION (the same, or exact), PODIUM_API (URL of
#         the API server), PODIUM_DELIVERY_NAMESPACE, PODIUM_DELIVERY_REGISTRY (host:port, as the cluster's nodes see
#         it); made on the control plane by input-delivery.sh: PODIUM_DELIVERY_TOKEN, PODIUM_CLUSTER_CA; optional:
#         PODIUM_MIRROR_KUBERNETES (instead of https://pkgs.k8s.io), the proxy's
# Gives:  delivery_registry, delivery_namespace
# Alone:  sudo PODIUM_NODE=ci PODIUM_KUBERNETES_MINOR=1.36 PODIUM_KUBERNETES_VERSION=1.36 PODIUM_API=https://kube-api:6443 \
#           PODIUM_DELIVERY_NAMESPACE=apps PODIUM_DELIVERY_REGISTRY=192.168.56.13:5000 PODIUM_DELIVERY_TOKEN=... \
#           PODIUM_CLUSTER_CA=... bash delivery.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/download.sh"
. "$(dirname "$0")/lib/apt.sh"
. "$(dirname "$0")/lib/kubernetes-repository.sh"

# Jenkins's package makes the same account; where this runs without Jenkins, as for trying a pipeline's scripts, it is made here.
home=/var/lib/jenkins
id jenkins >/dev/null 2>&1 || useradd --system --user-group --home-dir $home --create-home --shell /bin/bash jenkins

kubernetes_repository
version=$(kubernetes_version)
apt_install "kubectl=$version"

# Jenkins reads its groups when it starts.
if ! id --name --groups jenkins | grep -q -w docker; then
  usermod --append --groups docker jenkins
  service_changes
fi

[[ -d $home/.kube ]] || install -d -m 0700 -o jenkins -g jenkins $home/.kube
write_file 0600 $home/.kube/config <<END
apiVersion: v1
kind: Config
current-context: deliver
clusters:
  - name: lab
    cluster: {server: "$PODIUM_API", certificate-authority-data: "$PODIUM_CLUSTER_CA"}
contexts:
  - name: deliver
    context: {cluster: lab, user: jenkins, namespace: $PODIUM_DELIVERY_NAMESPACE}
users:
  - name: jenkins
    user: {token: "$PODIUM_DELIVERY_TOKEN"}
END
chown jenkins:jenkins $home/.kube/config
# For the shell parts of pipelines.
write_file 0644 /etc/podium/delivery.env <<END
REGISTRY=$PODIUM_DELIVERY_REGISTRY
NAMESPACE=$PODIUM_DELIVERY_NAMESPACE
END
if has_unit jenkins.service; then
  run_service jenkins.service
fi

fact delivery_registry "$PODIUM_DELIVERY_REGISTRY"
fact delivery_namespace "$PODIUM_DELIVERY_NAMESPACE"
