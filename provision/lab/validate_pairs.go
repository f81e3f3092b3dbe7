package lab

import (
	"fmt"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/version"
)

// pairs checks what the catalogue knows not to go together. Only what the description says is looked at; what nobody but
// the machine can know, its scripts ask it.
func (c *checker) pairs() {
	k := c.lab.Kubernetes
	if k == nil {
		return
	}
	if _, known := catalogue.SetFor(k.Version); !known {
		return // kubernetes has refused the version
	}
	field, name := c.lab.start()
	d, _ := catalogue.DistributionOf(name)
	versions := map[string]string{"kubernetes": k.Version}
	if d.Cgroup != "" && !(c.lab.Provider == ProviderIncus && c.lab.Incus != nil && c.lab.Incus.Instance == InstanceContainer) {
		versions["cgroup"] = d.Cgroup // a container has its host's
	}
	if c.lab.Source == SourceDistro {
		for component, version := range d.Packages {
			if component == c.lab.Runtime {
				versions[component] = version
			}
		}
	}
	if c.lab.Runtime == RuntimeDocker {
		versions["cri-dockerd"] = catalogue.VersionFor("cri-dockerd", k.Version)
		if c.lab.Source == SourceUpstream {
			versions["docker"] = catalogue.Version("docker")
		}
	}
	for _, rule := range catalogue.All().Conflicts(versions) {
		path, value := "source", c.lab.Source
		if _, ok := rule.When["cgroup"]; ok {
			path, value = field, name
		}
		c.bad(path, value, "does not go with kubernetes.version %s: %s (%s): %s", k.Version, rule.Because, d.Name, rule.Instead)
	}
	if containerd := versions["containerd"]; containerd != "" && catalogue.TooOld(containerd, k.Version) {
		set, _ := catalogue.SetFor(k.Version)
		c.bad("source", c.lab.Source, "takes containerd %s of %s, and Kubernetes %s wants %s or later: write source: upstream%s",
			containerd, d.Name, version.Minor(k.Version), set.Containerd[0], newestWith(containerd))
	}
}

// start is the field that says what the machines start from, and what it holds; empty where nothing does.
func (l Lab) start() (field, name string) {
	switch {
	case l.Provider == ProviderStatic:
		return "", "" // they exist already
	case l.Provider != ProviderIncus:
		return "box", l.Box
	case l.Incus != nil && strings.Contains(l.Incus.Image, ":"):
		return "incus.image", l.Incus.Image
	}
	return "", "" // an image of one's own may hold anything
}

// newestWith offers the newest Kubernetes that goes with a containerd.
func newestWith(containerd string) string {
	offer := ""
	for _, minor := range catalogue.KubernetesMinors() {
		if !catalogue.TooOld(containerd, minor) {
			offer = fmt.Sprintf(", or kubernetes.version: %q", minor)
		}
	}
	return offer
}
