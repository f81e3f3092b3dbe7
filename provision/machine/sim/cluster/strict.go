package cluster

import (
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed kinds.yaml
var kindsFile []byte

// kinds are the fields of each kind and type that kinds.yaml knows.
var kinds = sync.OnceValue(func() map[string]object {
	var table map[string]object
	if err := yaml.Unmarshal(kindsFile, &table); err != nil {
		panic("kinds.yaml: " + err.Error())
	}
	return table
})

var (
	properName     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.:]*[a-z0-9])?$`)
	properQuantity = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|e[0-9]+)?$`)
)

// known reports whether there is such a kind: built in, or by a definition that was installed.
func (s *store) known(o object) bool {
	kind := text(o, "kind")
	if _, ok := kinds()[kind]; ok {
		return true
	}
	group, _, _ := strings.Cut(text(o, "apiVersion"), "/")
	for _, d := range s.list("customresourcedefinitions", "") {
		if text(d, "spec", "names", "kind") == kind && text(d, "spec", "group") == group {
			return true
		}
	}
	return false
}

// strictly checks an object's fields against the table, as an API server decodes them.
func strictly(o object) error {
	kind := text(o, "kind")
	fields, ok := kinds()[kind]
	if !ok {
		return nil // by a definition, whose fields are not modelled
	}
	fields = maps.Clone(fields)
	fields["apiVersion"], fields["kind"], fields["metadata"] = "string", "string", "ObjectMeta"
	var wrong []string
	checkFields(fields, o, "", &wrong)
	if name := text(o, "metadata", "name"); len(wrong) == 0 && !properName.MatchString(name) {
		return saysf("The %s %q is invalid: metadata.name: Invalid value: %q: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character", kind, name, name)
	}
	if len(wrong) > 0 {
		version := text(o, "apiVersion")
		return saysf("Error from server (BadRequest): %s in version %q cannot be handled as a %[1]s: strict decoding error: %[3]s", kind, version[strings.Index(version, "/")+1:], strings.Join(wrong, ", "))
	}
	return nil
}

func checkFields(fields, o object, path string, wrong *[]string) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if want, ok := fields[name]; ok {
			checkValue(want, o[name], path+name, wrong)
		} else {
			*wrong = append(*wrong, fmt.Sprintf("unknown field %q", path+name))
		}
	}
}

// checkValue checks one value against the type that the table gives it.
func checkValue(want, v any, path string, wrong *[]string) {
	if v == nil || want == "any" {
		return
	}
	bad := func(what string) { *wrong = append(*wrong, fmt.Sprintf("%s: %v is not %s", path, v, what)) }
	if list, ok := want.([]any); ok {
		values, ok := v.([]any)
		if !ok {
			bad("a list")
		}
		for i, e := range values {
			checkValue(list[0], e, fmt.Sprintf("%s[%d]", path, i), wrong)
		}
		return
	}
	m, isMap := v.(object)
	_, isText := v.(string)
	_, isNumber := number(object{"v": v}, "v")
	_, isBool := v.(bool)
	switch want {
	case "string", "name":
		if !isText {
			bad("a string")
		}
	case "int", "port":
		if !isNumber && (want == "int" || !isText) {
			bad("a number")
		}
		if n, _ := number(object{"v": v}, "v"); strings.HasSuffix(strings.ToLower(path), "port") && isNumber && (n < 1 || n > 65535) {
			bad("a port, which is between 1 and 65535")
		}
	case "bool":
		if !isBool {
			bad("true or false")
		}
	case "map", "quantities":
		if !isMap {
			bad("a map")
		}
		for k, e := range m {
			if text, ok := e.(string); want == "map" && !ok || want == "quantities" && ok && !properQuantity.MatchString(text) {
				*wrong = append(*wrong, fmt.Sprintf("%s.%s: %v is not %s", path, k, e, map[any]string{"map": "a string", "quantities": "a quantity"}[want]))
			}
		}
	default:
		if !isMap {
			bad("an object")
		} else {
			checkFields(kinds()[want.(string)], m, path+".", wrong)
		}
	}
}
