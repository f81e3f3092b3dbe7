package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// resource is a kind of object that the API server knows.
type resource struct {
	plural, singular, kind string
	short                  []string
	apiVersion             string
	namespaced             bool
}

func resources() []resource {
	return []resource{
		{"nodes", "node", "Node", []string{"no"}, "v1", false},
		{"pods", "pod", "Pod", []string{"po"}, "v1", true},
		{"namespaces", "namespace", "Namespace", []string{"ns"}, "v1", false},
		{"services", "service", "Service", []string{"svc"}, "v1", true},
		{"configmaps", "configmap", "ConfigMap", []string{"cm"}, "v1", true},
		{"secrets", "secret", "Secret", nil, "v1", true},
		{"serviceaccounts", "serviceaccount", "ServiceAccount", []string{"sa"}, "v1", true},
		{"events", "event", "Event", []string{"ev"}, "v1", true},
		{"persistentvolumes", "persistentvolume", "PersistentVolume", []string{"pv"}, "v1", false},
		{"persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim", []string{"pvc"}, "v1", true},
		{"deployments", "deployment", "Deployment", []string{"deploy"}, "apps/v1", true},
		{"daemonsets", "daemonset", "DaemonSet", []string{"ds"}, "apps/v1", true},
		{"replicasets", "replicaset", "ReplicaSet", []string{"rs"}, "apps/v1", true},
		{"statefulsets", "statefulset", "StatefulSet", []string{"sts"}, "apps/v1", true},
		{"jobs", "job", "Job", nil, "batch/v1", true},
		{"cronjobs", "cronjob", "CronJob", []string{"cj"}, "batch/v1", true},
		{"ingresses", "ingress", "Ingress", []string{"ing"}, "networking.k8s.io/v1", true},
		{"networkpolicies", "networkpolicy", "NetworkPolicy", []string{"netpol"}, "networking.k8s.io/v1", true},
		{"storageclasses", "storageclass", "StorageClass", []string{"sc"}, "storage.k8s.io/v1", false},
		{"mutatingwebhookconfigurations", "mutatingwebhookconfiguration", "MutatingWebhookConfiguration", nil, "admissionregistration.k8s.io/v1", false},
		{"clusterroles", "clusterrole", "ClusterRole", nil, "rbac.authorization.k8s.io/v1", false},
		{"clusterrolebindings", "clusterrolebinding", "ClusterRoleBinding", nil, "rbac.authorization.k8s.io/v1", false},
		{"roles", "role", "Role", nil, "rbac.authorization.k8s.io/v1", true},
		{"rolebindings", "rolebinding", "RoleBinding", nil, "rbac.authorization.k8s.io/v1", true},
		{"customresourcedefinitions", "customresourcedefinition", "CustomResourceDefinition", []string{"crd", "crds"}, "apiextensions.k8s.io/v1", false},
	}
}

// reference is how messages call an object: deployment.apps/web.
func (r resource) reference(name string) string {
	kind := r.singular
	if group, _, ok := strings.Cut(r.apiVersion, "/"); ok {
		kind += "." + group
	}
	return kind + "/" + name
}

// kindOf finds a resource by the kind of an object. Kinds that are not built in are kept as they come, as if their
// definition had been installed.
func kindOf(o object) resource {
	kind := text(o, "kind")
	for _, r := range resources() {
		if r.kind == kind {
			return r
		}
	}
	name := strings.ToLower(kind)
	return resource{plural(name), name, kind, nil, text(o, "apiVersion"), text(o, "metadata", "namespace") != ""}
}

// resource finds a resource by what people call it.
func (s *store) resource(name string) (resource, error) {
	name = strings.ToLower(name)
	word, _, _ := strings.Cut(name, ".")
	for _, r := range resources() {
		if r.plural == word || r.singular == word || slices.Contains(r.short, name) {
			return r, nil
		}
	}
	for _, many := range []string{word, plural(word)} {
		for k, o := range s.objects[many] {
			r := kindOf(o)
			r.namespaced = k.namespace != ""
			return r, nil
		}
	}
	for _, d := range s.list("customresourcedefinitions", "") {
		if many := text(d, "spec", "names", "plural"); many == word || many == plural(word) {
			kind := text(d, "spec", "names", "kind")
			return resource{many, strings.ToLower(kind), kind, nil, text(d, "spec", "group") + "/v1", text(d, "spec", "scope") == "Namespaced"}, nil
		}
	}
	return resource{}, fmt.Errorf("error: the server doesn't have a resource type %q", name)
}

// selected is what operands such as "pods", "pod web", "pod/web" and "pods,services" name.
type selected struct {
	resource
	names []string // none: all
}

func (s *store) operands(args []string) ([]selected, error) {
	if len(args) == 0 {
		return nil, saysf("error: You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.")
	}
	if strings.Contains(args[0], "/") {
		var list []selected
		for _, a := range args {
			kind, name, ok := strings.Cut(a, "/")
			if !ok || name == "" {
				return nil, fmt.Errorf("error: there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'")
			}
			r, err := s.resource(kind)
			if err != nil {
				return nil, err
			}
			list = append(list, selected{r, []string{name}})
		}
		return list, nil
	}
	var list []selected
	kinds := args[0]
	if kinds == "all" {
		kinds = "pods,services,daemonsets,deployments,replicasets"
	}
	for kind := range strings.SplitSeq(kinds, ",") {
		r, err := s.resource(kind)
		if err != nil {
			return nil, err
		}
		list = append(list, selected{r, args[1:]})
	}
	return list, nil
}

// find returns the objects that the operands and -l name. Missing ones are errors, which come with what was found.
func (c *ctl) find(args []string, what string) (found []item, err error) {
	list, err := c.operands(args)
	if err != nil {
		return nil, err
	}
	test, err := selector(c.o.Value("l"))
	if err != nil {
		return nil, fmt.Errorf("error: %w", err)
	}
	var missing errorList
	for _, sel := range list {
		space := ""
		if sel.namespaced {
			space = c.namespace()
		}
		if len(sel.names) == 0 {
			if err := c.allow("list", key{sel.plural, space, ""}, sel.resource); err != nil {
				return nil, err
			}
			for _, o := range c.list(sel.plural, space) {
				if test(labelsOf(o)) {
					found = append(found, item{sel.resource, key{sel.plural, text(o, "metadata", "namespace"), text(o, "metadata", "name")}, o})
				}
			}
			continue
		}
		if sel.namespaced && c.o.Has("A") {
			return nil, fmt.Errorf("error: a resource cannot be retrieved by name across all namespaces")
		}
		for _, name := range sel.names {
			k := key{sel.plural, space, name}
			if err := c.allow(what, k, sel.resource); err != nil {
				return nil, err
			}
			o := c.session.store.get(k)
			if o == nil {
				missing = append(missing, notFound(sel.resource, name))
				continue
			}
			found = append(found, item{sel.resource, k, o})
		}
	}
	if len(missing) > 0 {
		return found, missing
	}
	return found, nil
}

// item is an object with its names.
type item struct {
	resource
	key key
	o   object
}

func notFound(r resource, name string) error {
	plural := r.plural
	if group, _, ok := strings.Cut(r.apiVersion, "/"); ok {
		plural += "." + group
	}
	return saysf("Error from server (NotFound): %s %q not found", plural, name)
}

// plural is what the definitions of kinds write for more than one.
func plural(name string) string {
	switch {
	case strings.HasSuffix(name, "ss"):
		return name + "es"
	case strings.HasSuffix(name, "cy"):
		return strings.TrimSuffix(name, "y") + "ies"
	}
	return name + "s"
}
