package lab

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"podium/provision/catalogue"
)

//go:embed lab.go
var typesSource string

// Schema is the JSON Schema (draft 2020-12) of lab.yaml, for editors and other tools. It is made from the types; what
// it cannot say, such as that an address lies in the network, Validate alone checks.
func Schema() ([]byte, error) {
	s, err := SchemaOf(&Lab{}, "podium lab", typesSource)
	if err != nil {
		return nil, fmt.Errorf("describe the fields of lab.yaml: %w", err)
	}
	addDefaults(s)
	return SchemaText(s)
}

// SchemaOf makes the schema of a description from its type, whose source has the fields' descriptions as comments.
func SchemaOf(root any, title string, sources ...string) (*jsonschema.Schema, error) {
	comments := map[string]string{}
	for _, source := range sources {
		of, err := fieldComments(source)
		if err != nil {
			return nil, err
		}
		maps.Copy(comments, of)
	}
	r := jsonschema.Reflector{
		Anonymous:                  true,
		ExpandedStruct:             true,
		FieldNameTag:               "yaml",
		RequiredFromJSONSchemaTags: true,
		LookupComment:              func(t reflect.Type, field string) string { return comments[t.Name()+"."+field] },
	}
	s := r.Reflect(root)
	s.Title = title
	allowEmpty(s)
	for _, section := range s.Definitions {
		allowEmpty(section)
	}
	return s, nil
}

// SchemaText writes a schema.
func SchemaText(s *jsonschema.Schema) ([]byte, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write a schema: %w", err)
	}
	return append(text, '\n'), nil
}

// fieldComments collects the comments of the fields of Go source, by Type.Field.
func fieldComments(src string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "lab.go", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	comments := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		fields, ok := spec.Type.(*ast.StructType)
		if !ok {
			return false
		}
		for _, field := range fields.Fields.List {
			for _, name := range field.Names {
				comments[spec.Name.Name+"."+name.Name] = strings.TrimSpace(field.Comment.Text())
			}
		}
		return false
	})
	return comments, nil
}

// addDefaults shows what Default fills in, as far as it does not depend on other fields.
func addDefaults(s *jsonschema.Schema) {
	l := Lab{Kubernetes: &Kubernetes{}, Jenkins: &Jenkins{}, Monitoring: &Monitoring{}, Incus: &Incus{}, Steps: []Step{{}}}
	Default(&l)
	setDefaults(s, reflect.ValueOf(l))
	for name, v := range map[string]any{"Kubernetes": *l.Kubernetes, "Jenkins": *l.Jenkins, "Monitoring": *l.Monitoring, "Incus": *l.Incus, "Step": l.Steps[0]} {
		setDefaults(s.Definitions[name], reflect.ValueOf(v))
	}
}

func setDefaults(s *jsonschema.Schema, v reflect.Value) {
	for name, i := range fieldsOf(v.Type()) {
		field := v.Field(i)
		if kind := field.Kind(); (kind == reflect.String || kind == reflect.Int) && !field.IsZero() {
			property(s, name).Default = field.Interface()
		}
	}
}

// allowEmpty lets sections, lists and maps stand with nothing after the colon, as Parse does.
func allowEmpty(s *jsonschema.Schema) {
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		p := pair.Value
		switch {
		case slices.Contains([]string{"#/$defs/Size", "#/$defs/Value", "#/$defs/Number"}, p.Ref): // single values
		case p.Ref != "":
			p.AnyOf = []*jsonschema.Schema{{Ref: p.Ref}, {Type: "null"}}
			p.Ref = ""
		case (p.Type == "array" || p.Type == "object") && p.MinItems == nil:
			p.Extras = map[string]any{"type": []string{p.Type, "null"}}
			p.Type = ""
		}
	}
}

// property is the schema of a field; it must exist.
func property(s *jsonschema.Schema, name string) *jsonschema.Schema {
	p, ok := s.Properties.Get(name)
	if !ok {
		panic("lab: lab.yaml has no field " + name)
	}
	return p
}

// choice allows a few words only.
func choice(p *jsonschema.Schema, words []string) {
	for _, word := range words {
		p.Enum = append(p.Enum, word)
	}
}

// between bounds a whole number.
func between(p *jsonschema.Schema, least, most int) {
	p.Minimum, p.Maximum = json.Number(fmt.Sprint(least)), json.Number(fmt.Sprint(most))
}

// networkPattern is the form of an IPv4 network; Validate knows more.
const networkPattern = `^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$`

func hostName(p *jsonschema.Schema) {
	longest := uint64(maxName)
	p.Pattern, p.MaxLength = label.String(), &longest
	explain(p, "write a name of lower-case letters, digits and hyphens, such as w1")
}

func network(p *jsonschema.Schema) {
	p.Pattern = networkPattern
	explain(p, "write an IPv4 network, such as 192.168.56.0/24")
}

// explain gives a schema the message that editors show in place of their own (yaml-language-server and VS Code read it).
func explain(s *jsonschema.Schema, message string) {
	if s.Extras == nil {
		s.Extras = map[string]any{}
	}
	s.Extras["errorMessage"] = message
}

// JSONSchemaExtend adds what the type alone does not say.
func (Lab) JSONSchemaExtend(s *jsonschema.Schema) {
	s.PatternProperties = map[string]*jsonschema.Schema{"^x-": jsonschema.TrueSchema} // a place for anchors
	hostName(property(s, "name"))
	choice(property(s, "provider"), Providers())
	choice(property(s, "source"), sources())
	choice(property(s, "runtime"), runtimes())
	network(property(s, "network"))
	property(s, "user").Pattern = userName.String()
	hostName(property(s, "exercises").Items)
	property(s, "boot_timeout").Pattern = timeout.String()
	property(s, "ssh_timeout").Pattern = timeout.String()
	one := uint64(1)
	property(s, "nodes").MinItems = &one
	property(s, "dns").Items.AnyOf = []*jsonschema.Schema{{Format: "ipv4"}, {Format: "ipv6"}}
	for _, pair := range [][2]string{
		{RoleControlPlane, "kubernetes"}, {RoleWorker, "kubernetes"}, {RoleEtcd, "kubernetes"}, {RoleMonitoring, "monitoring"},
	} {
		s.AllOf = append(s.AllOf, &jsonschema.Schema{If: someNode(pair[0]), Then: &jsonschema.Schema{Required: pair[1:]}})
	}
	for _, pair := range [][2]string{
		{"kubernetes", RoleControlPlane}, {"docker", RoleDocker}, {"jenkins", RoleJenkins}} {
		s.AllOf = append(s.AllOf, &jsonschema.Schema{If: &jsonschema.Schema{Required: pair[:1]}, Then: someNode(pair[1])})
	}
	// Monitoring is on a node with that role, or in the cluster.
	inCluster := object("place", &jsonschema.Schema{Const: PlaceCluster})
	inCluster.Type = "object"
	s.AllOf = append(s.AllOf,
		&jsonschema.Schema{If: object("monitoring", inCluster), Then: &jsonschema.Schema{Required: []string{"kubernetes"}, Not: someNode(RoleMonitoring)}},
		&jsonschema.Schema{If: object("monitoring", &jsonschema.Schema{Not: inCluster}), Then: someNode(RoleMonitoring)},
	)
}

// someNode is a lab in which a node has the role.
func someNode(role string) *jsonschema.Schema {
	hasRole := object("roles", &jsonschema.Schema{Contains: &jsonschema.Schema{Const: role}})
	nodes := &jsonschema.Schema{Contains: hasRole}
	explain(nodes, "the lab needs a node with the role "+role+": write roles: ["+role+"]")
	return object("nodes", nodes)
}

// object is one with such a field.
func object(field string, is *jsonschema.Schema) *jsonschema.Schema {
	s := &jsonschema.Schema{Properties: jsonschema.NewProperties(), Required: []string{field}}
	s.Properties.Set(field, is)
	return s
}

// JSONSchemaExtend adds what the type alone does not say.
func (Node) JSONSchemaExtend(s *jsonschema.Schema) {
	hostName(property(s, "name"))
	between(property(s, "count"), 1, maxMachines)
	choice(property(s, "roles").Items, Roles())
	property(s, "roles").UniqueItems = true
	between(property(s, "cpus"), 1, maxCPUs)
	property(s, "address").Format = "ipv4"
}

// JSONSchemaExtend adds what the type alone does not say.
func (SSH) JSONSchemaExtend(s *jsonschema.Schema) {
	between(property(s, "port"), 1, 65535)
	property(s, "user").Pattern = userName.String()
}

// JSONSchemaExtend adds what the type alone does not say.
func (Kubernetes) JSONSchemaExtend(s *jsonschema.Schema) {
	var minors []string
	var numbers []any
	for _, minor := range catalogue.KubernetesMinors() {
		minors = append(minors, strings.ReplaceAll(minor, ".", `\.`))
		numbers = append(numbers, json.Number(minor))
	}
	v := property(s, "version")
	v.Type = ""
	v.AnyOf = []*jsonschema.Schema{
		{Type: "string", Pattern: `^(` + strings.Join(minors, "|") + `)(\.[0-9]+)?$`},
		{Type: "number", Enum: numbers}, // 1.36 without quotes
	}
	choice(property(s, "cni"), cnis())
	choice(property(s, "etcd"), etcds())
	property(s, "virtual_address").Format = "ipv4"
	network(property(s, "pod_subnet"))
	network(property(s, "service_subnet"))
	addons := property(s, "addons")
	choice(addons.Items, Addons())
	addons.UniqueItems = true
}

// JSONSchemaExtend adds what the type alone does not say.
func (MetalLB) JSONSchemaExtend(s *jsonschema.Schema) {
	property(s, "pool").Pattern = `^[0-9.]+ *- *[0-9.]+$`
}

// JSONSchemaExtend adds what the type alone does not say.
func (Docker) JSONSchemaExtend(s *jsonschema.Schema) {
	property(s, "users").Items.Pattern = userName.String()
}

// JSONSchemaExtend adds what the type alone does not say.
func (Jenkins) JSONSchemaExtend(s *jsonschema.Schema) {
	between(property(s, "port"), minPort, 65535)
	between(property(s, "registry"), minPort, 65535)
}

// JSONSchemaExtend adds what the type alone does not say.
func (Monitoring) JSONSchemaExtend(s *jsonschema.Schema) {
	property(s, "retention").Pattern = duration.String()
	choice(property(s, "place"), places())
	for _, port := range []string{"prometheus_port", "alertmanager_port", "grafana_port"} {
		between(property(s, port), minPort, 65535)
	}
	property(s, "webhook").Pattern = `^https?://[^/?#\s"'\\\x60$]+[^\s"'\\\x60$]*$`
}

// JSONSchemaExtend adds what the type alone does not say.
func (Incus) JSONSchemaExtend(s *jsonschema.Schema) {
	choice(property(s, "instance"), instances())
}

// JSONSchemaExtend adds what the type alone does not say.
func (Mirrors) JSONSchemaExtend(s *jsonschema.Schema) {
	for _, f := range mirrorFields(&Mirrors{}) {
		property(s, strings.TrimPrefix(f.Path, "mirrors.")).Pattern = urlPattern
	}
	property(s, "registries").AdditionalProperties.Pattern = urlPattern
	property(s, "checksums").AdditionalProperties.Pattern = checksum.String()
}

// JSONSchemaExtend adds what the type alone does not say.
func (Proxy) JSONSchemaExtend(s *jsonschema.Schema) {
	property(s, "http").Pattern = urlPattern
	property(s, "https").Pattern = urlPattern
}

// urlPattern is the form of an http or https URL; Validate knows more.
const urlPattern = `^https?://[^ ?#]+$`

// JSONSchemaExtend adds what the type alone does not say.
func (Step) JSONSchemaExtend(s *jsonschema.Schema) {
	hostName(property(s, "name"))
	property(s, "script").Pattern = `^[^/\\][^\\]*$`
	vars := property(s, "vars")
	vars.PropertyNames = &jsonschema.Schema{Pattern: variable.String()}
	vars.AdditionalProperties = &jsonschema.Schema{Extras: map[string]any{"type": []string{"string", "number", "boolean"}}}
	property(s, "timeout").Pattern = timeout.String()
}
