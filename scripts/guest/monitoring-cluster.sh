#!/bin/bash
# monitoring-cluster.sh: Prometheus, Alertmanager, node_exporter and Grafana as pods of the cluster.
#
# Takes:  PODIUM_ADDRESS, PODIUM_KUBELETS (nodes of the cluster, by spaces), PODIUM_PROMETHEUS_PORT,
#         PODIUM_ALERTMANAGER_PORT, PODIUM_GRAFANA_PORT (node ports; the last empty: no Grafana); the file
#         /var/lib/podium/files/monitoring.yaml, and what cluster-metrics.sh has made; made on each node by
#         input-kubelet.sh: PODIUM_KUBELET_CA_NODE (base64; of a node called w-1: PODIUM_KUBELET_CA_W_1)
# Gives:  prometheus_url, alertmanager_url; with Grafana grafana_url, grafana_user, secret_grafana_password
# Alone:  sudo PODIUM_ADDRESS=192.168.56.10 PODIUM_KUBELETS=w1 PODIUM_KUBELET_CA_W1=... PODIUM_PROMETHEUS_PORT=30090 \
#           PODIUM_ALERTMANAGER_PORT=30093 PODIUM_GRAFANA_PORT=30030 bash monitoring-cluster.sh
. "$(dirname "$0")/lib/step.sh"
. "$(dirname "$0")/lib/secret.sh"
. "$(dirname "$0")/lib/kubelets.sh"
export KUBECONFIG=/etc/kubernetes/admin.conf

# indented: standard input, deep enough for a text in the data of an object.
indented() { sed 's/^/    /'; }

kubectl apply --filename - <<END
apiVersion: v1
kind: ConfigMap
metadata:
  name: kubelets
  namespace: monitoring
data:
  kubelets.crt: |
$(kubelet_authorities | indented)
END

if [[ -n $PODIUM_GRAFANA_PORT ]]; then
  password=$(secret grafana)
  # By standard input: a list of processes shows no password.
  kubectl apply --filename - <<END
apiVersion: v1
kind: Secret
metadata:
  name: grafana-admin
  namespace: monitoring
stringData:
  password: "$password"
END
fi

kubectl apply --filename "$keep/files/monitoring.yaml"

# Any node's address would do.
fact prometheus_url "http://$PODIUM_ADDRESS:$PODIUM_PROMETHEUS_PORT"
fact alertmanager_url "http://$PODIUM_ADDRESS:$PODIUM_ALERTMANAGER_PORT"
if [[ -n $PODIUM_GRAFANA_PORT ]]; then
  fact grafana_url "http://$PODIUM_ADDRESS:$PODIUM_GRAFANA_PORT"
  fact grafana_user admin
  fact secret_grafana_password "$password"
fi
