package internet

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"podium/provision/machine/sim/guest"
)

var (
	calicoFile = regexp.MustCompile(`^projectcalico/calico/raw/v([0-9.]+)/manifests/calico-vxlan\.yaml$`)
	ciliumFile = regexp.MustCompile(`^cilium/charts/raw/master/cilium-([0-9.]+)\.tgz$`)
)

// network answers for the manifest of Calico and the chart of Cilium: of the shape that their projects publish, with
// what labs change in them.
func network(path string) (guest.Response, bool) {
	if m := calicoFile.FindStringSubmatch(path); m != nil {
		return text(calicoConfig + fmt.Sprintf(calicoWorkloads, m[1])), true
	}
	if m := ciliumFile.FindStringSubmatch(path); m != nil {
		return text(folder(map[string]string{
			"cilium/Chart.yaml": "apiVersion: v2\nname: cilium\nversion: " + m[1] + "\n", "cilium/values.yaml": ciliumValues,
			"cilium/templates/cilium.yaml": fmt.Sprintf(ciliumTemplate, m[1]),
		})), true
	}
	return guest.Response{}, false
}

// folder makes a .tar.gz of files: always the same bytes.
func folder(files map[string]string) string {
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	tw := tar.NewWriter(zw)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}) //nolint:errcheck // a buffer takes all
		tw.Write([]byte(files[name]))                                                                              //nolint:errcheck
	}
	tw.Close() //nolint:errcheck
	zw.Close() //nolint:errcheck
	return buf.String()
}

const calicoConfig = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: calico-node
  namespace: kube-system
---
kind: ConfigMap
apiVersion: v1
metadata:
  name: calico-config
  namespace: kube-system
data:
  typha_service_name: "none"
  calico_backend: "vxlan"
  veth_mtu: "0"
  cni_network_config: |-
    {
      "name": "k8s-pod-network",
      "cniVersion": "0.3.1",
      "plugins": [
        {
          "type": "calico",
          "nodename": "__KUBERNETES_NODE_NAME__",
          "mtu": __CNI_MTU__,
          "ipam": {"type": "calico-ipam"},
          "kubernetes": {"kubeconfig": "__KUBECONFIG_FILEPATH__"}
        },
        {"type": "portmap", "snat": true, "capabilities": {"portMappings": true}},
        {"type": "bandwidth", "capabilities": {"bandwidth": true}}
      ]
    }
---
`

const calicoWorkloads = `kind: DaemonSet
apiVersion: apps/v1
metadata:
  name: calico-node
  namespace: kube-system
  labels:
    k8s-app: calico-node
spec:
  selector:
    matchLabels:
      k8s-app: calico-node
  template:
    metadata:
      labels:
        k8s-app: calico-node
    spec:
      hostNetwork: true
      tolerations:
        - effect: NoSchedule
          operator: Exists
      serviceAccountName: calico-node
      initContainers:
        - name: install-cni
          image: quay.io/calico/cni:v%[1]s
          env:
            - name: CNI_CONF_NAME
              value: "10-calico.conflist"
      containers:
        - name: calico-node
          image: quay.io/calico/node:v%[1]s
          env:
            - name: DATASTORE_TYPE
              value: "kubernetes"
            # Auto-detect the BGP IP address.
            - name: IP
              value: "autodetect"
            # Enable IPIP
            - name: CALICO_IPV4POOL_IPIP
              value: "Never"
            # Enable or Disable VXLAN on the default IP pool.
            - name: CALICO_IPV4POOL_VXLAN
              value: "CrossSubnet"
            # - name: CALICO_IPV4POOL_CIDR
            #   value: "192.168.0.0/16"
            - name: FELIX_IPV6SUPPORT
              value: "false"
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: calico-kube-controllers
  namespace: kube-system
spec:
  replicas: 1
  selector:
    matchLabels:
      k8s-app: calico-kube-controllers
  template:
    metadata:
      labels:
        k8s-app: calico-kube-controllers
    spec:
      tolerations:
        - key: node-role.kubernetes.io/control-plane
          effect: NoSchedule
      containers:
        - name: calico-kube-controllers
          image: quay.io/calico/kube-controllers:v%[1]s
`

const ciliumValues = `k8sServiceHost: ""
k8sServicePort: ""
ipam:
  mode: cluster-pool
operator:
  replicas: 2
envoy:
  enabled: true
hubble:
  enabled: true
`

const ciliumTemplate = `---
apiVersion: v1
kind: ConfigMap
metadata:
  name: cilium-config
  namespace: {{.Release.Namespace}}
data:
  ipam: "{{.Values.ipam.mode}}"
  enable-hubble: "{{.Values.hubble.enabled}}"
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: cilium
  namespace: {{.Release.Namespace}}
spec:
  selector:
    matchLabels:
      k8s-app: cilium
  template:
    metadata:
      labels:
        k8s-app: cilium
    spec:
      hostNetwork: true
      tolerations:
      - operator: Exists
      containers:
      - name: cilium-agent
        image: quay.io/cilium/cilium:v%[1]s
        env:
        - name: KUBERNETES_SERVICE_HOST
          value: "{{.Values.k8sServiceHost}}"
        - name: KUBERNETES_SERVICE_PORT
          value: "{{.Values.k8sServicePort}}"
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cilium-operator
  namespace: {{.Release.Namespace}}
spec:
  replicas: {{.Values.operator.replicas}}
  selector:
    matchLabels:
      name: cilium-operator
  template:
    metadata:
      labels:
        name: cilium-operator
    spec:
      hostNetwork: true
      tolerations:
      - operator: Exists
      containers:
      - name: cilium-operator
        image: quay.io/cilium/operator-generic:v%[1]s
`
