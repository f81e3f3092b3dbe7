package lab

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"podium/labs"
)

// compiledSchema is what Schema gives, read by a validator that podium has no part in.
func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "schema.json", string(text))
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("lab.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("lab.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON reads YAML the way an editor does.
func asJSON(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSchemaAcceptsLabs(t *testing.T) {
	s := compiledSchema(t)
	for _, name := range labs.Names() {
		text, err := fs.ReadFile(labs.FS(), name+"/lab.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(asJSON(t, text)); err != nil {
			t.Errorf("labs/%s/lab.yaml: %v", name, err)
		}
	}
	for _, file := range fixtures(t, "valid-*.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(asJSON(t, text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		// So must what validate -o yaml prints.
		if text, err = os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".golden"); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(asJSON(t, text)); err != nil {
			t.Errorf("%s, written out: %v", file, err)
		}
	}
}

// beyondSchema are the invalid fixtures whose faults only a comparison of fields, or a look at the disk, can find.
var beyondSchema = map[string]bool{
	"invalid-addons-none":      true,
	"invalid-addons-pool":      true,
	"invalid-names-windows":    true,
	"invalid-network-tiny":     true,
	"invalid-etcd":             true,
	"invalid-etcd-stacked":     true,
	"invalid-etcd-none":        true,
	"invalid-networks":         true,
	"invalid-networks-forms":   true,
	"invalid-networks-pods":    true,
	"invalid-pairs-cgroup":     true,
	"invalid-pairs-containerd": true,
	"invalid-ports-taken":      true,
	"invalid-proxy-empty":      true,
	"invalid-ssh":              true,
}

func TestSchemaRefusesFixtures(t *testing.T) {
	s := compiledSchema(t)
	for _, file := range fixtures(t, "invalid-*.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if yaml.Unmarshal(text, &v) != nil || strings.HasSuffix(file, "-two.yaml") || strings.HasSuffix(file, "-key.yaml") {
			continue // not one document of YAML that JSON can hold
		}
		err = s.Validate(asJSON(t, text))
		if beyond := beyondSchema[fixtureName(file)]; beyond != (err == nil) {
			t.Errorf("%s: beyond the schema: %v, but the schema says %v", file, beyond, err)
		}
	}
}

// TestSchemaAndLoadAgree changes one thing at a time in a good lab. The schema and podium must both refuse it.
func TestSchemaAndLoadAgree(t *testing.T) {
	s := compiledSchema(t)
	const good = `name: lab
provider: virtualbox
network: 192.168.56.0/24
user: vagrant
source: upstream
nodes:
  - {name: cp, roles: [control-plane], cpus: 2, memory: 2GiB, disk: 20GiB, address: 192.168.56.20}
  - {name: w, count: 2, roles: [worker], ssh: {}}
  - {name: ops, roles: [jenkins, monitoring, docker]}
runtime: containerd
kubernetes: {version: "1.36", cni: flannel, etcd: stacked, pod_subnet: 10.244.0.0/16, service_subnet: 10.96.0.0/12}
jenkins: {port: 8080}
monitoring: {retention: 2d, prometheus_port: 9090, grafana_port: 3000, grafana: true}
docker: {users: [alice]}
incus: {instance: vm}
mirrors: {apt: "http://mirror.school.example", registries: {docker.io: "http://mirror.school.example"}}
proxy: {http: "http://proxy.school.example:3128"}
dns: [192.168.1.1]
steps:
  - {name: seed, on: [worker], after: [base], script: seed.sh, vars: {A: b}, timeout: 90s}
`
	base := strings.Replace(good, ", ssh: {}", "", 1)
	check := func(text string) (schema, load error) {
		l, at, err := Parse("lab.yaml", []byte(text))
		if err == nil {
			Default(&l)
			err = Validate(l, at)
		}
		return s.Validate(asJSON(t, []byte(text))), err
	}
	if schema, load := check(base); schema != nil || load != nil {
		t.Fatalf("the good lab is refused: schema %v, podium %v", schema, load)
	}
	for old, changed := range map[string][]string{
		"name: lab\n":         {"", "name: Lab\n", "name: [lab]\n", "nmae: lab\nname: lab\n", "name: a-\n"},
		"virtualbox":          {"vmware", "1"},
		"192.168.56.0/24":     {"192.168.56.0", "home"},
		"user: vagrant":       {"user: Big Boss"},
		"upstream":            {"internet"},
		"name: cp, ":          {"", "name: CP, "},
		"[control-plane]":     {"[master]", "control-plane", "[control-plane, control-plane]", "[[control-plane]]"},
		"cpus: 2":             {"cpus: 0", "cpus: two", "cpus: 2.5", "cores: 2"},
		"memory: 2GiB":        {"memory: 2GB", "memory: 2048", "memory: 0GiB", "memory: 1.5GiB"},
		"disk: 20GiB":         {"disk: 20"},
		"192.168.56.20":       {"192.168.56.300", "cp"},
		"count: 2":            {"count: 0", "count: -1", "count: many"},
		"containerd":          {"rkt", "podman"},
		`"1.36"`:              {`"1.29"`, `"1.36."`, "latest", "v1.36", "1.29", "[1.36]"},
		"flannel":             {"weave"},
		"stacked":             {"outside"},
		"10.244.0.0/16":       {"pods"},
		"port: 8080":          {"port: 80", "port: 100000", "port: http"},
		"retention: 2d":       {"retention: two days"},
		"grafana: true":       {"grafana: maybe"},
		"[alice]":             {"alice", "[Alice B]"},
		"instance: vm":        {"instance: cell"},
		"http://mirror":       {"mirror", "ftp://mirror"},
		"http://proxy":        {"proxy"},
		"[192.168.1.1]":       {"[dns.school.example]", "192.168.1.1"},
		"kubernetes: {":       {"cluster: {"},
		"jenkins, monitoring": {"jenkins", "monitoring"},
		"seed.sh":             {"/seed.sh", "'sub\\seed.sh'"},
		"script: seed.sh, ":   {""},
		"A: b":                {"1A: b", "A: [b]"},
		"90s":                 {"soon", "90"},
	} {
		for _, now := range changed {
			text := strings.Replace(base, old, now, 1)
			if text == base {
				t.Fatalf("%q stands nowhere in the good lab", old)
			}
			schema, load := check(text)
			if schema == nil {
				t.Errorf("%q instead of %q: the schema accepts it (podium says %v)", now, old, load)
			}
			if load == nil {
				t.Errorf("%q instead of %q: podium accepts it", now, old)
			}
		}
	}
}

// TestSchemaDescribes looks for the help that editors show: every field has some.
func TestSchemaDescribes(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties map[string]struct{ Description string }
	}
	var s struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	s.Defs["Lab"] = s.object
	if len(s.Defs["Lab"].Properties) < 15 || len(s.Defs) < 8 {
		t.Fatalf("the schema has %d sections", len(s.Defs))
	}
	for name, section := range s.Defs {
		for field, p := range section.Properties {
			if p.Description == "" {
				t.Errorf("%s.%s has no description", name, field)
			}
		}
	}
}
