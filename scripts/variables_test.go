package scripts_test

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"podium/provision/lab"
	"podium/provision/step"
	"podium/scripts"
)

// full is a lab with everything, so that each row of the catalogue runs somewhere and each variable has a value.
func full(cni string) step.Context {
	l := lab.Lab{
		Name: "full", Provider: lab.ProviderSim, Network: "192.168.56.0/24", User: "vagrant", Source: lab.SourceUpstream,
		Runtime: lab.RuntimeContainerd,
		Kubernetes: &lab.Kubernetes{Version: "1.36.2", CNI: cni, PodSubnet: "10.244.0.0/16", ServiceSubnet: "10.96.0.0/12", Etcd: lab.EtcdStacked, VirtualAddress: "192.168.56.9",
			Addons: lab.Addons(), MetalLB: &lab.MetalLB{Pool: "192.168.56.240-192.168.56.250"}},
		Docker: &lab.Docker{Users: []string{"student"}}, Jenkins: &lab.Jenkins{Port: 8080, Registry: 5000},
		Monitoring: &lab.Monitoring{Retention: "2d", PrometheusPort: 9090, GrafanaPort: 3000},
		DNS:        []string{"192.168.56.1"}, Proxy: &lab.Proxy{HTTP: "http://proxy:3128", NoProxy: []string{".school.example"}},
		Mirrors: lab.Mirrors{
			Apt: "http://m/ubuntu", AptSecurity: "http://m/security", Kubernetes: "http://m/k8s", Docker: "http://m/docker",
			Jenkins: "http://m/jenkins", JenkinsUpdates: "http://m/updates", Adoptium: "http://m/adoptium", Grafana: "http://m/grafana", GitHub: "http://m/github", Helm: "http://m/helm", CRIO: "http://m/cri-o",
			Registry: "http://m:5000", Registries: map[string]string{"docker.io": "http://m:5001"},
		},
	}
	machine := func(name string, last byte, roles ...string) lab.Machine {
		return lab.Machine{Name: name, Roles: roles, CPUs: 2, Memory: 2 * lab.GiB, Address: netip.AddrFrom4([4]byte{192, 168, 56, last})}
	}
	return step.Context{Lab: l, Machines: []lab.Machine{
		machine("cp1", 10, lab.RoleControlPlane), machine("cp2", 11, lab.RoleControlPlane), machine("cp3", 12, lab.RoleControlPlane),
		machine("w1", 13, lab.RoleWorker), machine("d1", 14, lab.RoleDocker), machine("ops", 15, lab.RoleJenkins, lab.RoleMonitoring), machine("nfs", 16, lab.RoleNFS),
	}}
}

func contexts() []step.Context {
	list := []step.Context{full(lab.CNIFlannel), full(lab.CNIBridge), full(lab.CNICalico), full(lab.CNICilium)}
	for _, runtime := range []string{lab.RuntimeDocker, lab.RuntimeCRIO} {
		c := full(lab.CNIFlannel)
		c.Lab.Runtime = runtime
		list = append(list, c)
	}
	inside := full(lab.CNIFlannel)
	inside.Lab.Monitoring = &lab.Monitoring{Place: lab.PlaceCluster, Retention: "2d", PrometheusPort: 30090, AlertmanagerPort: 30093, GrafanaPort: 30030}
	c := full(lab.CNIFlannel)
	c.Lab.Kubernetes.Etcd = lab.EtcdExternal
	c.Machines = append(c.Machines, lab.Machine{Name: "etcd1", Roles: []string{lab.RoleEtcd}, Address: netip.MustParseAddr("192.168.56.21")})
	return append(list, inside, c)
}

// inputs are those of every row that has some.
func inputs(t *testing.T) []step.Input {
	t.Helper()
	var all []step.Input
	for _, c := range contexts() {
		for _, row := range step.Catalogue() {
			for _, m := range c.Machines {
				if row.Inputs != nil && row.On(c, m) {
					all = append(all, row.Inputs(c, m)...)
				}
			}
		}
	}
	return all
}

// A script may read no variable that nothing sets, and a row sets none that its script does not read.
func TestVariables(t *testing.T) {
	// Made by the engine or by an input, not by the catalogue.
	given := []string{"PODIUM_FACTS", "PODIUM_ETCD_PKI", "PODIUM_JOIN_TOKEN", "PODIUM_JOIN_CA_HASH", "PODIUM_JOIN_CERTIFICATE_KEY",
		"PODIUM_PROMETHEUS_TOKEN", "PODIUM_DELIVERY_TOKEN", "PODIUM_CLUSTER_CA", "PODIUM_KUBELET_CA"} // the last with a node's name behind it
	text := func(name string) string {
		if name == "" {
			return ""
		}
		s, err := step.Text(scripts.Guest(), name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	check := func(what string, texts string, c step.Context, m lab.Machine, own step.Vars) {
		t.Helper()
		set := step.Common(c, m).Mentioned(texts)
		maps.Copy(set, own)
		for _, name := range names(texts) {
			optional := strings.Contains(texts, "${"+name+":-") || strings.Contains(texts, "${"+name+":=")
			if _, ok := set[name]; !ok && !optional && !slices.Contains(given, name) {
				t.Errorf("%s reads %s, which nothing sets", what, name)
			}
		}
		for name := range own {
			if !slices.Contains(names(texts), name) {
				t.Errorf("%s is given %s and does not read it", what, name)
			}
		}
	}
	ran := map[string]bool{}
	for _, c := range contexts() {
		for _, row := range step.Catalogue() {
			for _, m := range c.Machines {
				if !row.On(c, m) {
					continue
				}
				ran[row.Name] = true
				own := step.Vars{}
				if row.Vars != nil {
					own = row.Vars(c, m)
				}
				check(row.Script+" on "+m.Name, text(row.Script)+text(row.Probe), c, m, own)
			}
		}
		for _, input := range inputs(t) {
			check(input.Script, text(input.Script), c, c.Machines[0], input.Vars)
		}
	}
	for _, c := range contexts() {
		given = append(given, "PODIUM_REPAIR", "PODIUM_NOW")
		for _, row := range step.Repairs() {
			for _, m := range c.Machines {
				own := step.Vars{}
				if row.Vars != nil {
					own = row.Vars(c, m)
				}
				if row.On(c, m) {
					check(row.Script+" on "+m.Name, text(row.Script), c, m, own)
				}
			}
		}
	}
	for _, row := range step.Catalogue() {
		if !ran[row.Name] {
			t.Errorf("row %s runs on no machine of a lab with everything", row.Name)
		}
	}
}

// Without its optional fields a lab leaves variables unset, and scripts must bear it: what is not set for certain stands
// as ${NAME:-...} wherever it is read.
func TestOptionalVariables(t *testing.T) {
	c := full(lab.CNIFlannel)
	c.Lab.Mirrors, c.Lab.DNS, c.Lab.Proxy = lab.Mirrors{}, nil, nil
	always := step.Common(c, c.Machines[0])
	c = full(lab.CNIFlannel)
	for name := range step.Common(c, c.Machines[0]) {
		if _, ok := always[name]; ok {
			continue
		}
		for file, text := range guestScripts(t) {
			for line := range strings.Lines(withoutComments(text)) {
				bare := strings.Contains(line, "$"+name) && !strings.Contains(line, "$"+name+"_") || strings.Contains(line, "${"+name+"}")
				if bare && !guarded(text, name) {
					t.Errorf("%s reads $%s, which may be unset: %s", file, name, strings.TrimSpace(line))
				}
			}
		}
	}
}

// guarded reports whether the script first asks whether the variable is there.
func guarded(text, name string) bool {
	return strings.Contains(text, "[[ -n ${"+name+":-} ]]") || strings.Contains(text, "[[ -z ${"+name+":-} ]]")
}
