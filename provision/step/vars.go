package step

import (
	"net"
	"slices"
	"strings"

	"podium/provision/lab"
	"podium/templates"
)

// APIName is the name by which the nodes know the cluster's API; /etc/hosts gives it the first control plane's address.
const APIName = "kube-api"

// apiPort is kubeadm's default.
const apiPort = "6443"

// filesDir is where a step's files lie on a node before its script puts them to use.
const filesDir = "/var/lib/podium/files/"

// Common is the variables that every script may use. A step of podium's own gets those that it mentions (see
// Mentioned), so that a change of one touches only the steps it matters to; a step of the lab's own gets all.
func Common(c Context, m lab.Machine) Vars {
	v := Vars{
		"PODIUM_LAB":     c.Lab.Name,
		"PODIUM_NODE":    m.Name,
		"PODIUM_ADDRESS": m.Address.String(),
		"PODIUM_NETWORK": c.Lab.Network,
		"PODIUM_ROLES":   strings.Join(m.Roles, ","),
		"PODIUM_USER":    c.Lab.User,
		"PODIUM_SOURCE":  c.Lab.Source,
		"PODIUM_HOSTS":   hostLines(c),
	}
	mirrors := c.Lab.Mirrors
	v.set("PODIUM_MIRROR_APT", mirrors.Apt)
	v.set("PODIUM_MIRROR_APT_SECURITY", mirrors.AptSecurity)
	v.set("PODIUM_MIRROR_KUBERNETES", mirrors.Kubernetes)
	v.set("PODIUM_MIRROR_DOCKER", mirrors.Docker)
	v.set("PODIUM_MIRROR_JENKINS", mirrors.Jenkins)
	v.set("PODIUM_MIRROR_GRAFANA", mirrors.Grafana)
	v.set("PODIUM_MIRROR_GITHUB", mirrors.GitHub)
	v.set("PODIUM_MIRROR_REGISTRY", mirrors.Registry)
	v.set("PODIUM_MIRROR_REGISTRIES", registryLines(mirrors.Registries))
	v.set("PODIUM_DNS", strings.Join(c.Lab.DNS, " "))
	if p := c.Lab.Proxy; p != nil {
		v.set("PODIUM_HTTP_PROXY", p.HTTP)
		v.set("PODIUM_HTTPS_PROXY", first(p.HTTPS, p.HTTP))
		v.set("PODIUM_NO_PROXY", noProxy(c))
	}
	return v
}

// Mentioned is the variables whose names stand in one of the texts.
func (v Vars) Mentioned(texts ...string) Vars {
	some := Vars{}
	for name, value := range v {
		if slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(t, name) }) {
			some[name] = value
		}
	}
	return some
}

// set adds a variable that has a value.
func (v Vars) set(name, value string) {
	if value != "" {
		v[name] = value
	}
}

// hostLines is /etc/hosts for the lab: "address name", and the API's name at the first control plane.
func hostLines(c Context) string {
	api, _ := controlPlane(c)
	var b strings.Builder
	for _, m := range c.Machines {
		b.WriteString(m.Address.String() + " " + m.Name)
		if c.Lab.Kubernetes != nil && m.Name == api.Name {
			b.WriteString(" " + APIName)
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// registryLines is "registry url" a line, sorted.
func registryLines(registries map[string]string) string {
	var lines []string
	for name, url := range registries {
		lines = append(lines, name+" "+url)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// noProxy is what must not go through the proxy: this machine, the lab's network, pods and services.
func noProxy(c Context) string {
	list := []string{"localhost", "127.0.0.1", c.Lab.Network}
	if k := c.Lab.Kubernetes; k != nil {
		list = append(list, k.PodSubnet, k.ServiceSubnet, ".svc", ".cluster.local", APIName)
	}
	return strings.Join(append(list, c.Lab.Proxy.NoProxy...), ",")
}

func kubeVersion(c Context, _ lab.Machine) Vars {
	version := c.Lab.Kubernetes.Version
	return Vars{"PODIUM_KUBERNETES_VERSION": version, "PODIUM_KUBERNETES_MINOR": minor(version)}
}

// minor is "1.36" of "1.36" and of "1.36.2".
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

func flannel(c Context, _ lab.Machine) Vars {
	return Vars{"PODIUM_POD_SUBNET": c.Lab.Kubernetes.PodSubnet, "PODIUM_FLANNEL_VERSION": "0.28.9"}
}

func join(Context, lab.Machine) Vars {
	return Vars{"PODIUM_API": net.JoinHostPort(APIName, apiPort)}
}

// joinInputs has the first control plane make a token for the machine.
func joinInputs(c Context, m lab.Machine) []Input {
	first, _ := controlPlane(c)
	return []Input{{Node: first.Name, Script: "input-join.sh", Vars: Vars{"PODIUM_JOINING": m.Name}}}
}

func kubeNodes(c Context, _ lab.Machine) Vars {
	var nodes, workers []string
	for _, m := range c.Machines {
		if !kubernetes(c, m) {
			continue
		}
		nodes = append(nodes, m.Name+" "+m.Address.String())
		if m.HasRole(lab.RoleWorker) {
			workers = append(workers, m.Name)
		}
	}
	return Vars{"PODIUM_KUBE_NODES": strings.Join(nodes, "\n"), "PODIUM_KUBE_WORKERS": strings.Join(workers, " ")}
}

func kubeadmInit(c Context, m lab.Machine) []File {
	k := c.Lab.Kubernetes
	return []File{file("kubeadm-init.yaml", 0o600, templates.KubeadmInit{
		Cluster: c.Lab.Name, Node: m.Name, Address: m.Address.String(),
		Endpoint: net.JoinHostPort(APIName, apiPort), SANs: []string{APIName, m.Name, m.Address.String()},
		PodSubnet: k.PodSubnet, ServiceSubnet: k.ServiceSubnet, CRISocket: "unix:///run/containerd/containerd.sock",
	})}
}

// file is a rendered template in filesDir. Templates are embedded and their data is typed: an error is a mistake in
// this program, caught by the golden tests.
func file(name string, mode uint32, data interface{ Render() (string, error) }) File {
	text, err := data.Render()
	if err != nil {
		panic(err)
	}
	return File{Path: filesDir + name, Mode: mode, Text: text}
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
