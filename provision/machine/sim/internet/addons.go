package internet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"podium/provision/machine/sim/guest"
)

var (
	helmFile    = regexp.MustCompile(`^helm-v([0-9][0-9A-Za-z.+-]*)-linux-(amd64|arm64)\.tar\.gz(\.sha256sum)?$`)
	metricsFile = regexp.MustCompile(`^kubernetes-sigs/metrics-server/releases/download/v([0-9.]+)/components\.yaml$`)
	gatewayFile = regexp.MustCompile(`^kubernetes-sigs/gateway-api/releases/download/v([0-9.]+)/standard-install\.yaml$`)
	metallbFile = regexp.MustCompile(`^metallb/metallb/raw/v([0-9.]+)/config/manifests/metallb-native\.yaml$`)
	fabricFile  = regexp.MustCompile(`^nginx/nginx-gateway-fabric/raw/v([0-9.]+)/deploy/(crds|default/deploy|nodeport/deploy)\.yaml$`)
	nfsFile     = regexp.MustCompile(`^kubernetes-csi/csi-driver-nfs/raw/v([0-9.]+)/deploy/v([0-9.]+)/([a-z-]+)\.yaml$`)
	linkerdFile = regexp.MustCompile(`^linkerd/linkerd2/releases/download/(edge-[0-9.]+)/linkerd2-cli-(edge-[0-9.]+)-linux-(?:amd64|arm64)(\.sha256)?$`)
	ingressFile = regexp.MustCompile(`^kubernetes/ingress-nginx/raw/controller-v([0-9.]+)/deploy/static/provider/(cloud|baremetal)/deploy\.yaml$`)
)

// helmArchive answers for https://get.helm.sh.
func helmArchive(file string) guest.Response {
	m := helmFile.FindStringSubmatch(file)
	if m == nil {
		return notFound
	}
	packed := archive("linux-"+m[2]+"/", m[1], []string{"helm"})
	if m[3] == "" {
		return text(packed)
	}
	sum := sha256.Sum256([]byte(packed))
	return text(hex.EncodeToString(sum[:]) + "  " + strings.TrimSuffix(file, m[3]) + "\n")
}

// addon answers for the manifests of add-ons: of the shape that their projects publish, as far as labs look at it.
func addon(path string) (guest.Response, bool) {
	if m := metricsFile.FindStringSubmatch(path); m != nil {
		return text(workload("Deployment", "kube-system", "metrics-server", "registry.k8s.io/metrics-server/metrics-server:v"+m[1],
			"--cert-dir=/tmp", "--metric-resolution=15s")), true
	}
	if m := gatewayFile.FindStringSubmatch(path); m != nil {
		return text(definition("gateway.networking.k8s.io", "GatewayClass", "gatewayclasses") + definition("gateway.networking.k8s.io", "Gateway", "gateways") +
			definition("gateway.networking.k8s.io", "HTTPRoute", "httproutes")), true
	}
	if m := metallbFile.FindStringSubmatch(path); m != nil {
		return text(namespace("metallb-system") + definition("metallb.io", "IPAddressPool", "ipaddresspools") + definition("metallb.io", "L2Advertisement", "l2advertisements") +
			workload("Deployment", "metallb-system", "controller", "quay.io/metallb/controller:v"+m[1]) +
			workload("DaemonSet", "metallb-system", "speaker", "quay.io/metallb/speaker:v"+m[1])), true
	}
	if m := fabricFile.FindStringSubmatch(path); m != nil {
		if m[2] == "crds" {
			return text(definition("gateway.nginx.org", "NginxProxy", "nginxproxies")), true
		}
		return text(namespace("nginx-gateway") +
			workload("Deployment", "nginx-gateway", "nginx-gateway", "ghcr.io/nginx/nginx-gateway-fabric:"+m[1]) + `---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata:
  name: nginx
spec:
  controllerName: gateway.nginx.org/nginx-gateway-controller
`), true
	}
	if m := nfsFile.FindStringSubmatch(path); m != nil && m[1] == m[2] {
		return nfsManifest(m[1], m[3])
	}
	if m := linkerdFile.FindStringSubmatch(path); m != nil && m[1] == m[2] {
		program := guest.Executable("linkerd", m[1])
		if m[3] == "" {
			return text(program), true
		}
		sum := sha256.Sum256([]byte(program))
		return text(hex.EncodeToString(sum[:]) + "\n"), true
	}
	if m := ingressFile.FindStringSubmatch(path); m != nil {
		return text(namespace("ingress-nginx") +
			workload("Deployment", "ingress-nginx", "ingress-nginx-controller", "registry.k8s.io/ingress-nginx/controller:v"+m[1]) + `---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: nginx
spec:
  controller: k8s.io/ingress-nginx
`), true
	}
	return guest.Response{}, false
}

func nfsManifest(version, name string) (guest.Response, bool) {
	image := "registry.k8s.io/sig-storage/nfsplugin:v" + version
	switch name {
	case "crd-csi-snapshot":
		return text(definition("snapshot.storage.k8s.io", "VolumeSnapshot", "volumesnapshots")), true
	case "rbac-csi-nfs":
		return text("---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: csi-nfs-controller-sa\n  namespace: kube-system\n"), true
	case "csi-nfs-driverinfo":
		return text("---\napiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata:\n  name: nfs.csi.k8s.io\nspec:\n  attachRequired: false\n"), true
	case "csi-nfs-controller":
		return text(workload("Deployment", "kube-system", name, image)), true
	case "csi-nfs-node":
		return text(workload("DaemonSet", "kube-system", name, image)), true
	}
	return guest.Response{}, false
}

func namespace(name string) string {
	return "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: " + name + "\n"
}

// definition is a CustomResourceDefinition.
func definition(group, kind, plural string) string {
	return fmt.Sprintf("---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: %[3]s.%[1]s\nspec:\n  group: %[1]s\n  names:\n    kind: %[2]s\n    plural: %[3]s\n", group, kind, plural)
}

// workload is a Deployment or a DaemonSet, which every node runs.
func workload(kind, namespace, name, image string, args ...string) string {
	tolerations := ""
	if kind == "DaemonSet" {
		tolerations = "      tolerations:\n      - operator: Exists\n"
	}
	list := ""
	if len(args) > 0 {
		list = "        args:\n        - " + strings.Join(args, "\n        - ") + "\n"
	}
	return fmt.Sprintf(`---
apiVersion: apps/v1
kind: %[1]s
metadata:
  name: %[3]s
  namespace: %[2]s
spec:
  selector:
    matchLabels:
      app: %[3]s
  template:
    metadata:
      labels:
        app: %[3]s
    spec:
%[5]s      containers:
      - name: %[3]s
        image: %[4]s
%[6]s`, kind, namespace, name, image, tolerations, list)
}
