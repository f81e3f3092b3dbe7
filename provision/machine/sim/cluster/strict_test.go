package cluster

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestStrictly: what an API server refuses is refused here.
func TestStrictly(t *testing.T) {
	const deployment = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx"
	for _, tt := range []struct{ about, object, want string }{
		{"a deployment", deployment + "}]}}}}", ""},
		{"a list of ports", deployment + ", ports: [{containerPort: 80, name: http}]}]}}}}", ""},
		{"an unknown field", strings.Replace(deployment, "spec: {selector", "spec: {replica: 3, selector", 1) + "}]}}}}", `unknown field "spec.replica"`},
		{"an unknown field of a container", deployment + ", prts: []}]}}}}", `unknown field "spec.template.spec.containers[0].prts"`},
		{"text for a number", deployment + ", ports: [{containerPort: eighty}]}]}}}}", "spec.template.spec.containers[0].ports[0].containerPort: eighty is not a number"},
		{"a port out of range", "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80, targetPort: 99999999}]}}", "between 1 and 65535"},
		{"a service's selektor", "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selektor: {a: b}}}", `unknown field "spec.selektor"`},
		{"a rule's resorces", "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}, rules: [{resorces: [pods]}]}", `unknown field "rules[0].resorces"`},
		{"a role of the system", "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: 'system:node'}, rules: [{verbs: [get]}]}", ""},
		{"a name", "{apiVersion: v1, kind: Pod, metadata: {name: Bad_Name}, spec: {containers: [{name: c, image: nginx}]}}", "lowercase RFC 1123"},
		{"a quantity", "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: nginx, resources: {limits: {memory: 12Gb}}}]}}", "12Gb is not a quantity"},
		{"a number in a config map", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: 1}}", "data.a: 1 is not a string"},
	} {
		t.Run(tt.about, func(t *testing.T) {
			var o object
			if err := yaml.Unmarshal([]byte(tt.object), &o); err != nil {
				t.Fatal(err)
			}
			err := strictly(o)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestKindsAreTypes: every word of the table is a type.
func TestKindsAreTypes(t *testing.T) {
	plain := map[any]bool{"any": true, "string": true, "name": true, "int": true, "port": true, "bool": true, "map": true, "quantities": true}
	for kind, fields := range kinds() {
		for field, want := range fields {
			if list, ok := want.([]any); ok && len(list) == 1 {
				want = list[0]
			}
			if name, _ := want.(string); !plain[want] && kinds()[name] == nil {
				t.Errorf("%s.%s: %v is not a type", kind, field, want)
			}
		}
	}
}
