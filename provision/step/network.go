package step

import (
	"podium/provision/catalogue"
	"podium/provision/lab"
	"podium/templates"
)

// ciliumKernel is the oldest kernel that Cilium runs on
// (https://docs.cilium.io/en/stable/operations/system_requirements/#linux-kernel).
const ciliumKernel = "5.10"

func calico(c Context, _ lab.Machine) Vars {
	release := catalogue.VersionFor("calico", c.Lab.Kubernetes.Version)
	return Vars{"PODIUM_POD_SUBNET": c.Lab.Kubernetes.PodSubnet, "PODIUM_CALICO_VERSION": release}.downloading(c, "calico", release)
}

func cilium(c Context, m lab.Machine) Vars {
	release := catalogue.VersionFor("cilium", c.Lab.Kubernetes.Version)
	v := helm(c, m)
	v["PODIUM_CILIUM_VERSION"] = release
	return v.downloading(c, "cilium", release)
}

func ciliumValues(Context, lab.Machine) []File {
	return []File{file("cilium.yaml", 0o644, templates.Cilium{Host: APIName, Port: apiPort})}
}

// networkImages are those of the lab's pod network; cni: bridge has none.
func networkImages(c Context) []string {
	name := c.Lab.Kubernetes.CNI
	return catalogue.Images(name, catalogue.VersionFor(name, c.Lab.Kubernetes.Version))
}
