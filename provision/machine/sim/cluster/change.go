package cluster

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// documents reads the objects of files; lists are taken apart.
func (c *ctl) documents(files []string) ([]object, error) {
	var docs []object
	for _, file := range files {
		if strings.HasPrefix(file, "http://") || strings.HasPrefix(file, "https://") {
			return nil, fmt.Errorf("error: the simulator's model of kubectl does not fetch %s: fetch it with curl first", file)
		}
		content, err := c.readText(file)
		if err != nil {
			return nil, err
		}
		d := yaml.NewDecoder(strings.NewReader(content))
		n := 0
		for {
			var o object
			err := d.Decode(&o)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("error: error parsing %s: error converting YAML to JSON: %w", file, err)
			}
			if len(o) == 0 {
				continue
			}
			n++
			if text(o, "kind") == "" || text(o, "apiVersion") == "" {
				what := map[bool]string{true: "kind", false: "apiVersion"}[text(o, "kind") == ""]
				return nil, fmt.Errorf("error: error validating %q: error validating data: %s not set; if you choose to ignore these errors, turn validation off with --validate=false", file, what)
			}
			if list := items(o, "items"); text(o, "kind") == "List" {
				for _, e := range list {
					if m, ok := e.(object); ok {
						docs = append(docs, m)
					}
				}
				continue
			}
			docs = append(docs, o)
		}
		if n == 0 {
			return nil, errors.New("error: no objects passed to apply")
		}
	}
	return docs, nil
}

// place finds where an object of a file belongs, and checks it as the API server would.
func (c *ctl) place(o object) (resource, key, error) {
	r := kindOf(o)
	if !c.session.store.known(o) {
		return r, key{}, saysf("error: resource mapping not found for name: %q namespace: %q: no matches for kind %q in version %q\nensure CRDs are installed first",
			text(o, "metadata", "name"), text(o, "metadata", "namespace"), r.kind, text(o, "apiVersion"))
	}
	k := key{r.plural, "", text(o, "metadata", "name")}
	if r.namespaced {
		if k.namespace = text(o, "metadata", "namespace"); k.namespace == "" {
			k.namespace = or(c.namespace(), "default")
			child(o, "metadata")["namespace"] = k.namespace
		}
		if c.session.store.get(key{"namespaces", "", k.namespace}) == nil {
			return r, k, saysf("Error from server (NotFound): error when creating: namespaces %q not found", k.namespace)
		}
	}
	if k.name == "" {
		return r, k, errors.New("error: error when retrieving current configuration: resource name may not be empty")
	}
	if err := strictly(o); err != nil {
		return r, k, err
	}
	return r, k, valid(r, o)
}

// valid checks what people get wrong most in workloads.
func valid(r resource, o object) error {
	switch r.plural {
	case "deployments", "daemonsets", "statefulsets":
	default:
		return nil
	}
	name := text(o, "metadata", "name")
	invalid := func(format string, args ...any) error {
		return saysf("The %s %q is invalid: %s", r.kind, name, fmt.Sprintf(format, args...))
	}
	wanted := labelsOf(o, "spec", "selector", "matchLabels")
	switch {
	case at(o, "spec", "selector") == nil:
		return invalid("spec.selector: Required value")
	case !fits(labelsOf(o, "spec", "template", "metadata", "labels"), wanted):
		return invalid("spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`")
	case len(items(o, "spec", "template", "spec", "containers")) == 0:
		return invalid("spec.template.spec.containers: Required value")
	}
	for i, k := range items(o, "spec", "template", "spec", "containers") {
		if text(k, "image") == "" {
			return invalid("spec.template.spec.containers[%d].image: Required value", i)
		}
	}
	return nil
}

// apply makes the cluster have what files say.
func (c *ctl) apply() error {
	docs, err := c.wanted()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var failed errorList
	for _, o := range docs {
		if err := c.putDocument(o, true); err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// putDocument writes one object of a file; over says whether it may be there already.
func (c *ctl) putDocument(o object, over bool) error {
	r, k, err := c.place(o)
	if err != nil {
		return err
	}
	if err := c.allow("patch", k, r); err != nil {
		return err
	}
	if err := c.webhook(o); err != nil {
		return err
	}
	old := c.session.store.get(k)
	if old != nil && !over {
		return saysf("Error from server (AlreadyExists): %s %q already exists", r.plural, k.name)
	}
	if c.o.Has("dry-run") {
		if c.output() != "" {
			return c.render(o)
		}
		c.p.Printf("%s created (dry run)\n", r.reference(k.name))
		return nil
	}
	done := "created"
	if old == nil {
		fresh := newObject(r.kind, r.apiVersion, k.name, k.namespace, c.now())
		for n, v := range child(o, "metadata") {
			child(fresh, "metadata")[n] = v
		}
		for n, v := range o {
			if n != "metadata" {
				fresh[n] = v
			}
		}
		o = fresh
	} else {
		merged, _ := merge(old, o).(object)
		if same(merged, old) {
			done = "unchanged"
		} else {
			done = "configured"
		}
		o = merged
	}
	if c.o.Has("server-side") {
		done = "serverside-applied"
	}
	if r.plural == "services" && text(o, "spec", "clusterIP") == "" {
		child(o, "spec")["clusterIP"] = fmt.Sprintf("10.%d.%d.%d", 96+c.head.Revision%16, c.head.Revision/16%256, 20+c.head.Revision%200)
	}
	if r.plural == "secrets" {
		if err := c.api.fillToken(o); err != nil {
			return err
		}
	}
	if r.plural == "services" {
		nodePorts(o, c.head.Revision)
	}
	if done != "unchanged" {
		if err := c.write(k, o); err != nil {
			return err
		}
		if err := c.follow(k); err != nil {
			return err
		}
	}
	c.say(r, k.name, done)
	return nil
}

// say prints what was done to an object, or its name when -o name asks for that.
func (c *ctl) say(r resource, name, done string) {
	if c.output() == "name" {
		c.p.Print(r.reference(name) + "\n")
		return
	}
	c.p.Printf("%s %s\n", r.reference(name), done)
}

// follow has the controllers see to what a change of one object asks for.
func (c *ctl) follow(k key) error {
	if err := c.placeDaemons(k); err != nil {
		return err
	}
	return c.controllers(c.now())
}

// placeDaemons makes or ends the pods of daemon sets after a change of a daemon set or node.
func (c *ctl) placeDaemons(k key) error {
	o := c.session.store.get(k)
	switch k.kind {
	case "daemonsets":
		for _, n := range c.list("nodes", "") {
			if err := c.daemonOn(o, n, c.now()); err != nil {
				return err
			}
		}
	case "nodes":
		for _, ds := range c.list("daemonsets", "") {
			if err := c.daemonOn(ds, o, c.now()); err != nil {
				return err
			}
		}
	}
	return nil
}

// merge puts a change over an object as a JSON merge patch does (RFC 7386).
func merge(old, change any) any {
	o, ok1 := old.(object)
	n, ok2 := change.(object)
	if !ok2 {
		return cloneAny(change)
	}
	out := object{}
	if ok1 {
		out = clone(o)
	}
	for k, v := range n {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = merge(out[k], v)
		}
	}
	return out
}

// patch changes objects in place.
func (c *ctl) patch() error {
	change := c.o.Value("p")
	if file := c.o.Value("patch-file"); file != "" {
		var err error
		if change, err = c.readText(file); err != nil {
			return err
		}
	}
	if c.o.Or("type", "strategic") == "json" {
		return errors.New("error: the simulator's model of kubectl patch does not have --type json")
	}
	var p object
	if yaml.Unmarshal([]byte(change), &p) != nil || p == nil {
		return fmt.Errorf("error: unable to parse %q: yaml: did not find expected node content", change)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found, err := c.find(c.args, "get")
	if err != nil {
		return err
	}
	for _, i := range found {
		if err := c.allow("patch", i.key, i.resource); err != nil {
			return err
		}
		n, _ := merge(i.o, p).(object)
		was := text(i.o, "spec", "podCIDR")
		if i.plural == "nodes" && was != "" && was != text(n, "spec", "podCIDR") {
			return saysf("The Node %q is invalid: spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid", i.key.name)
		}
		if same(n, i.o) {
			c.say(i.resource, i.key.name, "patched (no change)")
			continue
		}
		if err := c.write(i.key, n); err != nil {
			return err
		}
		if err := c.follow(i.key); err != nil {
			return err
		}
		c.say(i.resource, i.key.name, "patched")
	}
	return nil
}

// label changes labels or annotations: a=b sets, a- removes.
func (c *ctl) label() error {
	cut := slices.IndexFunc(c.args, func(a string) bool { return strings.Contains(a, "=") || strings.HasSuffix(a, "-") })
	if cut < 0 {
		return fmt.Errorf("error: at least one %s update is required", strings.TrimSuffix(c.verb, "e"))
	}
	names, changes := c.args[:cut], c.args[cut:]
	if len(names) == 1 && !strings.Contains(names[0], "/") && !c.o.Has("all") && !c.o.Has("l") {
		return errors.New("error: resource(s) were provided, but no name was specified")
	}
	where, did := "labels", "labeled"
	if c.verb == "annotate" {
		where, did = "annotations", "annotated"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found, err := c.find(names, "get")
	if err != nil {
		return err
	}
	for _, i := range found {
		if err := c.allow("patch", i.key, i.resource); err != nil {
			return err
		}
		n := clone(i.o)
		set := child(child(n, "metadata"), where)
		for _, change := range changes {
			k, v, sets := strings.Cut(change, "=")
			if !sets {
				delete(set, strings.TrimSuffix(change, "-"))
				continue
			}
			if old, there := set[k]; there && old != v && !c.o.Has("overwrite") {
				return fmt.Errorf("error: '%s' already has a value (%v), and --overwrite is false", k, old)
			}
			set[k] = v
		}
		if len(set) == 0 {
			delete(child(n, "metadata"), where)
		}
		if same(n["metadata"], i.o["metadata"]) {
			c.say(i.resource, i.key.name, "not "+did)
			continue
		}
		if err := c.write(i.key, n); err != nil {
			return err
		}
		if err := c.placeDaemons(i.key); err != nil {
			return err
		}
		c.say(i.resource, i.key.name, did)
	}
	return c.controllers(c.now())
}

// webhook has MetalLB look at objects of its own kinds, as the API server does.
func (c *ctl) webhook(o object) error {
	if !strings.HasPrefix(text(o, "apiVersion"), "metallb.io/") || c.works("deployments", "metallb-system", "controller") {
		return nil
	}
	kind := strings.ToLower(text(o, "kind"))
	return saysf("Error from server (InternalError): error when creating: Internal error occurred: failed calling webhook \"%svalidationwebhook.metallb.io\": failed to call webhook: Post \"https://metallb-webhook-service.metallb-system.svc:443/validate-metallb-io-v1beta1-%s?timeout=10s\": dial tcp: connect: connection refused", kind, kind)
}
