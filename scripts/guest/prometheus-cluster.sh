#!/bin/bash
# prometheus-cluster.sh: has Prometheus, outside the cluster, watch the cluster too.
#
# Takes:  PODIUM_NODE, PODIUM_KUBELETS (nodes of the cluster, by spaces); the files prometheus.yml and
#         prometheus-cluster.yml in /var/lib/podium/files; made on the control plane by input-prometheus.sh:
#         PODIUM_PROMETHEUS_TOKEN, PODIUM_CLUSTER_CA (base64); made on each node by input-kubelet.sh:
#         PODIUM_KUBELET_CA_NODE (base64; of a node called w-1: PODIUM_KUBELET_CA_W_1)
# Gives:  nothing
# Alone:  sudo PODIUM_NODE=ops PODIUM_KUBELETS=w1 PODIUM_PROMETHEUS_TOKEN=... PODIUM_CLUSTER_CA=... \
#           PODIUM_KUBELET_CA_W1=... bash prometheus-cluster.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/prometheus.sh"
. "$(dirname "$0")/lib/kubelets.sh"

mkdir -p "$prometheus_cluster"
base64 --decode <<<"$PODIUM_CLUSTER_CA" | write_config 0644 "$prometheus_cluster/ca.crt"
kubelet_authorities | write_config 0644 "$prometheus_cluster/kubelets.crt"
write_config 0600 "$prometheus_cluster/token" <<<"$PODIUM_PROMETHEUS_TOKEN"
chown prometheus: "$prometheus_cluster/token"

configuration=$(prometheus_configuration)
write_config 0644 /etc/prometheus/prometheus.yml <<<"$configuration"
check_prometheus
run_service prometheus.service
