package step

import (
	"time"

	"podium/provision/lab"
)

// addonSteps: what is installed into the cluster. Most wait for its nodes; among themselves they run side by side.
func addonSteps() []Step {
	return []Step{
		{
			Name: "addon-helm", About: "Helm on the control plane",
			On: withAddon(lab.AddonHelm), After: after("kubeadm-init"), Script: "addon-helm.sh", Vars: helm,
			Probe: "probe-addon-helm.sh", Timeout: 20 * time.Minute,
			Hint: "on the control plane: helm version; helm list -A",
		},
		{
			Name: "addon-metrics-server", About: "metrics for kubectl top and autoscalers",
			On: withAddon(lab.AddonMetricsServer), After: after("kube-ready"), Script: "addon-metrics-server.sh", Vars: metricsServer,
			Probe: "probe-addon-metrics-server.sh", Timeout: 20 * time.Minute,
			Hint: "on the control plane: kubectl --namespace kube-system logs deployment/metrics-server",
		},
		{
			Name: "addon-metallb", About: "addresses of the lab's network for Services",
			On: withAddon(lab.AddonMetalLB), After: after("kube-ready"), Script: "addon-metallb.sh", Vars: metallb, Files: metallbPool,
			Probe: "probe-addon-metallb.sh", Timeout: 20 * time.Minute,
			Hint: "on the control plane: kubectl --namespace metallb-system get pods -o wide",
		},
		{
			Name: "addon-gateway", About: "Gateway API, served by NGINX Gateway Fabric",
			On: withAddon(lab.AddonGateway), After: after("kube-ready"), Script: "addon-gateway.sh", Vars: gateway,
			Probe: "probe-addon-gateway.sh", Timeout: 20 * time.Minute,
			Hint: "on the control plane: kubectl --namespace nginx-gateway get pods; kubectl describe gatewayclass nginx",
		},
		{
			// After addon-gateway: both put the Gateway API's definitions into the cluster.
			Name: "addon-traefik", About: "Gateway API, served by Traefik",
			On: withAddon(lab.AddonTraefik), After: after("kube-ready", "addon-gateway"), Script: "addon-traefik.sh", Vars: traefik, Files: traefikFiles,
			Probe: "probe-addon-gateway.sh", Timeout: 20 * time.Minute,
			Hint: "on the control plane: kubectl --namespace traefik get pods; kubectl describe gatewayclass traefik",
		},
		{
			Name: "nfs-server", About: "NFS server for the cluster's volumes",
			On: servesNFS, After: after("base"), Script: "nfs-server.sh", Vars: nfsExport,
			Probe: "probe-nfs-server.sh", Services: []string{"nfs-server"}, Timeout: 20 * time.Minute,
			Hint: "on the node: sudo exportfs -v; systemctl status nfs-server",
		},
		{
			Name: "nfs-client", About: "what mounts NFS volumes",
			On: mountsNFS, After: after("base"), Script: "nfs-client.sh", Timeout: 20 * time.Minute,
			Hint: "on the node: apt-cache policy nfs-common",
		},
		{
			Name: "addon-nfs", About: "volumes on the NFS server, by default",
			On: withAddon(lab.AddonNFS), After: join(after("kube-ready"), everywhereAfter("nfs-server", "nfs-client")),
			Script: "addon-nfs.sh", Vars: csiNFS, Files: nfsFiles, Probe: "probe-addon-nfs.sh", Timeout: 20 * time.Minute,
			Hint: "on the control plane: kubectl --namespace kube-system get pods -o wide; kubectl get events -A",
		},
		{
			Name: "addon-headlamp", About: "Headlamp, a web page of the cluster",
			On: withAddon(lab.AddonHeadlamp), After: after("kube-ready"), Script: "addon-headlamp.sh", Vars: headlamp, Files: headlampFiles,
			Probe: "probe-addon-headlamp.sh", Timeout: 20 * time.Minute,
			Hint: "on the control plane: kubectl --namespace headlamp describe pods",
		},
		{
			// After those that put the Gateway API's definitions into the cluster, as it would too.
			Name: "addon-linkerd", About: "Linkerd, a service mesh",
			On: withAddon(lab.AddonLinkerd), After: after("kube-ready", "addon-gateway", "addon-traefik"), Script: "addon-linkerd.sh", Vars: linkerd,
			Probe: "probe-addon-linkerd.sh", Timeout: 20 * time.Minute,
			Hint: "on the control plane: linkerd check; kubectl --namespace linkerd get pods",
		},
		{
			Name: "addon-ingress-nginx", About: "ingress-nginx (retired), for lessons about the past",
			On: withAddon(lab.AddonIngressNginx), After: after("kube-ready"), Script: "addon-ingress-nginx.sh", Vars: ingressNginx,
			Probe: "probe-addon-ingress-nginx.sh", Timeout: 20 * time.Minute,
			Hint: "on the control plane: kubectl --namespace ingress-nginx get pods",
		},
	}
}
