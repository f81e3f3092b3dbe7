package step

import (
	"slices"
	"strconv"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/lab"
	"podium/templates"
)

const (
	// nfsFolder is what the NFS server exports.
	nfsFolder = "/srv/nfs/kubernetes"
	// headlampPort is one of the ports that Kubernetes opens on every node.
	headlampPort = 30466
)

// withAddon: the first control plane of a cluster that has the add-on.
func withAddon(name string) func(Context, lab.Machine) bool {
	return func(c Context, m lab.Machine) bool { return c.Lab.HasAddon(name) && firstControlPlane(c, m) }
}

// nfsServer is the machine with that role, or the first control plane.
func nfsServer(c Context) (lab.Machine, bool) {
	for _, m := range c.Machines {
		if m.HasRole(lab.RoleNFS) {
			return m, true
		}
	}
	return controlPlane(c)
}

func servesNFS(c Context, m lab.Machine) bool {
	server, ok := nfsServer(c)
	return ok && c.Lab.HasAddon(lab.AddonNFS) && m.Name == server.Name
}

func mountsNFS(c Context, m lab.Machine) bool {
	return c.Lab.HasAddon(lab.AddonNFS) && kubernetes(c, m)
}

func helm(c Context, _ lab.Machine) Vars {
	release := catalogue.Version("helm")
	return Vars{"PODIUM_HELM_VERSION": release}.downloading(c, "helm", release)
}

func metricsServer(c Context, _ lab.Machine) Vars {
	release := catalogue.VersionFor("metrics-server", c.Lab.Kubernetes.Version)
	return Vars{"PODIUM_METRICS_SERVER_VERSION": release}.downloading(c, "metrics-server", release)
}

func metallb(c Context, _ lab.Machine) Vars {
	release := catalogue.Version("metallb")
	return Vars{
		"PODIUM_METALLB_VERSION": release,
		"PODIUM_METALLB_POOL":    c.Lab.Kubernetes.MetalLB.Pool,
		"PODIUM_METALLB_ALONE":   strings.Join(loneControlPlanes(c), " "),
	}.downloading(c, "metallb", release)
}

// loneControlPlanes are the control planes of a cluster that has no workers.
func loneControlPlanes(c Context) []string {
	var names []string
	for _, m := range c.Machines {
		if worker(c, m) {
			return nil
		}
		if kubernetes(c, m) {
			names = append(names, m.Name)
		}
	}
	return names
}

func metallbPool(c Context, _ lab.Machine) []File {
	return []File{file("metallb-pool.yaml", 0o644, templates.MetalLBPool{Addresses: c.Lab.Kubernetes.MetalLB.Pool})}
}

// gateway: without MetalLB nobody gives the Gateways' services an address, so they get a port of every node.
func gateway(c Context, _ lab.Machine) Vars {
	api, nginx := catalogue.Version("gateway-api"), catalogue.Version("nginx-gateway-fabric")
	return Vars{
		"PODIUM_GATEWAY_API_VERSION":   api,
		"PODIUM_NGINX_GATEWAY_VERSION": nginx,
		"PODIUM_GATEWAY_SERVICE":       reachedBy(c, "default", "nodeport"),
		"PODIUM_GATEWAY_CLASS":         "nginx",
	}.downloading(c, "gateway-api", api).downloading(c, "nginx-gateway-fabric", nginx)
}

func traefik(c Context, _ lab.Machine) Vars {
	api := catalogue.Version("gateway-api")
	return Vars{"PODIUM_GATEWAY_API_VERSION": api, "PODIUM_GATEWAY_CLASS": "traefik"}.downloading(c, "gateway-api", api)
}

func traefikFiles(c Context, m lab.Machine) []File {
	return []File{file("traefik.yaml", 0o644, templates.Traefik{
		Image:   catalogue.Image("traefik", "traefik", catalogue.Version("traefik")),
		Address: reachedBy(c, "", m.Address.String()),
	})}
}

func ingressNginx(c Context, _ lab.Machine) Vars {
	release := catalogue.Version("ingress-nginx")
	return Vars{"PODIUM_INGRESS_NGINX_VERSION": release, "PODIUM_INGRESS_SERVICE": reachedBy(c, "cloud", "baremetal")}.
		downloading(c, "ingress-nginx", release)
}

// reachedBy chooses between the manifests of a project: for clusters with a load balancer, and for others.
func reachedBy(c Context, balanced, plain string) string {
	if c.Lab.HasAddon(lab.AddonMetalLB) {
		return balanced
	}
	return plain
}

func linkerd(c Context, _ lab.Machine) Vars {
	mesh, api := catalogue.Version("linkerd"), catalogue.Version("gateway-api")
	return Vars{"PODIUM_LINKERD_VERSION": mesh, "PODIUM_GATEWAY_API_VERSION": api}.
		downloading(c, "linkerd", mesh).downloading(c, "gateway-api", api)
}

func nfsExport(Context, lab.Machine) Vars { return Vars{"PODIUM_NFS_FOLDER": nfsFolder} }

func csiNFS(c Context, _ lab.Machine) Vars {
	server, _ := nfsServer(c)
	release := catalogue.Version("csi-driver-nfs")
	return Vars{"PODIUM_CSI_NFS_VERSION": release, "PODIUM_NFS_SERVER": server.Address.String()}.downloading(c, "csi-driver-nfs", release)
}

func nfsFiles(c Context, _ lab.Machine) []File {
	server, _ := nfsServer(c)
	return []File{
		file("nfs-storage-class.yaml", 0o644, templates.NFSStorageClass{Server: server.Address.String(), Folder: nfsFolder}),
		file("nfs-probe-claim.yaml", 0o644, templates.NFSProbeClaim{}),
	}
}

func headlamp(Context, lab.Machine) Vars {
	return Vars{"PODIUM_HEADLAMP_PORT": strconv.Itoa(headlampPort)}
}

func headlampFiles(Context, lab.Machine) []File {
	return []File{file("headlamp.yaml", 0o644, templates.Headlamp{Image: catalogue.Image("headlamp", "headlamp", catalogue.Version("headlamp")), NodePort: headlampPort})}
}

// addonImages are the images of the add-ons that will run on the machine, as far as the catalogue knows them: fetched
// while other machines are still being prepared.
func addonImages(c Context, m lab.Machine) []string {
	takesPods := worker(c, m) || slices.Contains(loneControlPlanes(c), m.Name)
	speaker := catalogue.Image("metallb", "speaker", catalogue.Version("metallb"))
	var images []string
	for _, addon := range c.Lab.Kubernetes.Addons {
		switch {
		case addon == lab.AddonNFS:
			images = append(images, catalogue.Images("csi-driver-nfs", catalogue.Version("csi-driver-nfs"))...)
		case addon == lab.AddonMetalLB && !takesPods:
			images = append(images, speaker)
		case addon == lab.AddonMetalLB:
			images = append(images, catalogue.Images("metallb", catalogue.Version("metallb"))...)
		case addon == lab.AddonMetricsServer && takesPods:
			images = append(images, catalogue.Images("metrics-server", catalogue.VersionFor("metrics-server", c.Lab.Kubernetes.Version))...)
		case addon == lab.AddonGateway && takesPods:
			images = append(images, catalogue.Images("nginx-gateway-fabric", catalogue.Version("nginx-gateway-fabric"))...)
		case addon == lab.AddonTraefik && takesPods:
			images = append(images, catalogue.Images("traefik", catalogue.Version("traefik"))...)
		case addon == lab.AddonHeadlamp && takesPods:
			images = append(images, catalogue.Images("headlamp", catalogue.Version("headlamp"))...)
		}
	}
	return images
}
