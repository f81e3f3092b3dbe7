package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// get shows objects.
func (c *ctl) get() error {
	if path := c.o.Value("raw"); path != "" {
		body, err := c.api.raw(path)
		if err != nil {
			return saysf("Error from server (NotFound): %v", err)
		}
		c.p.Print(body)
		return nil
	}
	for _, flag := range []string{"sort-by", "field-selector", "w"} {
		if c.o.Has(flag) {
			return fmt.Errorf("error: the simulator's model of kubectl get does not have --%s", strings.Replace(flag, "w", "watch", 1))
		}
	}
	c.mu.Lock()
	args := c.args
	if c.workloads() {
		if err := c.controllers(c.now()); err != nil {
			c.mu.Unlock()
			return saysf("Error from server: %v", err)
		}
	}
	if file := c.o.Value("f"); file != "" {
		docs, err := c.documents([]string{file})
		if err != nil {
			c.mu.Unlock()
			return err
		}
		args = nil
		for _, d := range docs {
			args = append(args, kindOf(d).plural+"/"+text(d, "metadata", "name"))
		}
	}
	found, err := c.find(args, "get")
	for i := range found {
		found[i].o = c.view(found[i].plural, found[i].o, c.now())
	}
	c.mu.Unlock()
	var missing errorList
	if err != nil && !errors.As(err, &missing) {
		return err
	}
	if c.o.Has("ignore-not-found") {
		err = nil
	}
	single := len(found) == 1 && (len(args) == 2 || len(args) == 1 && strings.Contains(args[0], "/"))
	if e := c.show(found, single, len(missing) > 0); e != nil {
		return e
	}
	return err
}

// workloads reports whether the operands name kinds that the controllers have a hand in.
func (c *ctl) workloads() bool {
	list, err := c.operands(c.args)
	if err != nil {
		return true
	}
	for _, s := range list {
		switch s.plural {
		case "nodes", "configmaps", "secrets", "namespaces":
		default:
			return true
		}
	}
	return false
}

// show prints objects in the form that -o asks for.
func (c *ctl) show(found []item, single, missing bool) error {
	form := c.output()
	switch {
	case form == "" || form == "wide":
		c.tables(found, missing)
		return nil
	case form == "name":
		for _, i := range found {
			c.p.Print(i.reference(i.key.name) + "\n")
		}
		return nil
	}
	if missing && len(found) == 0 {
		return nil
	}
	var o object
	if single {
		o = found[0].o
	} else {
		list := []any{}
		for _, i := range found {
			list = append(list, i.o)
		}
		o = object{"apiVersion": "v1", "kind": "List", "metadata": object{"resourceVersion": ""}, "items": list}
	}
	return c.render(o)
}

// render prints an object as JSON, YAML or by a template.
func (c *ctl) render(o object) error {
	form := c.output()
	kind, template, _ := strings.Cut(form, "=")
	switch kind {
	case "json":
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "    ")
		if err := e.Encode(o); err != nil {
			return err
		}
		c.p.Print(b.String())
		return nil
	case "yaml":
		var b bytes.Buffer
		e := yaml.NewEncoder(&b)
		e.SetIndent(2)
		if err := e.Encode(o); err != nil {
			return err
		}
		c.p.Print(b.String())
		return nil
	case "jsonpath":
		// Round trip, so that what was counted here and what came from disk are of one type.
		raw, err := json.Marshal(o)
		var plain object
		if err == nil {
			err = json.Unmarshal(raw, &plain)
		}
		if err != nil {
			return err
		}
		out, err := jsonPath(template, plain)
		if err != nil {
			return fmt.Errorf("error: error parsing jsonpath %s, %w", template, err)
		}
		c.p.Print(out)
		return nil
	}
	return fmt.Errorf("error: unable to match a printer suitable for the output format %q, allowed formats in the simulator's model are: json,jsonpath,name,wide,yaml", form)
}

// tables prints a table for each kind.
func (c *ctl) tables(found []item, missing bool) {
	wide := c.output() == "wide"
	if len(found) == 0 {
		if missing {
			return
		}
		if c.namespace() != "" && c.args[0] != "nodes" && c.args[0] != "node" && c.args[0] != "no" {
			c.p.Errorf("No resources found in %s namespace.", c.namespace())
		} else {
			c.p.Errorf("No resources found")
		}
		return
	}
	var kinds []resource
	byKind := map[string][]item{}
	for _, i := range found {
		if byKind[i.plural] == nil {
			kinds = append(kinds, i.resource)
		}
		byKind[i.plural] = append(byKind[i.plural], i)
	}
	for n, r := range kinds {
		if n > 0 {
			c.p.Print("\n")
		}
		c.table(r, byKind[r.plural], wide, len(kinds) > 1)
	}
}

func (c *ctl) table(r resource, list []item, wide, prefixed bool) {
	titles := columns(r.plural, wide)
	spaces := r.namespaced && c.o.Has("A")
	var rows [][]string
	add := func(cells []string, space, labels string) {
		if spaces {
			cells = append([]string{space}, cells...)
		}
		rows = append(rows, cells)
	}
	if !c.o.Has("no-headers") {
		add(titles, "NAMESPACE", "LABELS")
	}
	now := c.now()
	for _, i := range list {
		cells := row(r.plural, i.o, now)[:len(titles)]
		if prefixed {
			cells[0] = i.reference(cells[0])
		}
		add(cells, i.key.namespace, or(pairs(labelsOf(i.o)), "<none>"))
	}
	c.p.Print(table(rows))
}

// describe prints what matters of objects.
func (c *ctl) describe() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.controllers(c.now()); err != nil {
		return saysf("Error from server: %v", err)
	}
	found, err := c.find(c.args, "get")
	for n, i := range found {
		if n > 0 {
			c.p.Print("\n\n")
		}
		o := c.view(i.plural, i.o, c.now())
		c.p.Printf("Name:         %s\n", i.key.name)
		if i.namespaced {
			c.p.Printf("Namespace:    %s\n", i.key.namespace)
		}
		c.p.Printf("Labels:       %s\n", or(strings.ReplaceAll(pairs(labelsOf(o)), ",", "\n              "), "<none>"))
		c.p.Printf("Annotations:  %s\n", or(strings.ReplaceAll(pairs(labelsOf(o, "metadata", "annotations")), ",", "\n              "), "<none>"))
		switch i.plural {
		case "nodes":
			c.describeNode(o, i.key.name)
		case "pods":
			c.describePod(o)
		default:
			out, _ := yaml.Marshal(object{"Spec": o["spec"], "Status": o["status"]})
			c.p.Print(string(out))
		}
	}
	return err
}

func (c *ctl) describeNode(o object, name string) {
	c.p.Printf("Roles:        %s\nTaints:       ", roles(o))
	var taints []string
	for _, t := range items(o, "spec", "taints") {
		s := text(t, "key")
		if v := text(t, "value"); v != "" {
			s += "=" + v
		}
		taints = append(taints, s+":"+text(t, "effect"))
	}
	c.p.Printf("%s\nUnschedulable:  %t\nConditions:\n", or(strings.Join(taints, "\n              "), "<none>"), at(o, "spec", "unschedulable") == true)
	rows := [][]string{{"  Type", "Status", "Reason", "Message"}}
	for _, k := range items(o, "status", "conditions") {
		rows = append(rows, []string{"  " + text(k, "type"), text(k, "status"), text(k, "reason"), text(k, "message")})
	}
	c.p.Print(table(rows) + "Addresses:\n")
	for _, a := range items(o, "status", "addresses") {
		c.p.Printf("  %s:  %s\n", text(a, "type"), text(a, "address"))
	}
	c.p.Printf("PodCIDR:      %s\nNon-terminated Pods:\n", text(o, "spec", "podCIDR"))
	for _, p := range c.list("pods", "") {
		if text(p, "spec", "nodeName") == name {
			c.p.Printf("  %s  %s\n", text(p, "metadata", "namespace"), text(p, "metadata", "name"))
		}
	}
}

func (c *ctl) describePod(o object) {
	ready, status := podStatus(o)
	c.p.Printf("Node:         %s\nStatus:       %s\nReady:        %s\nIP:           %s\nContainers:\n", or(text(o, "spec", "nodeName"), "<none>"), status, ready, text(o, "status", "podIP"))
	for _, k := range items(o, "spec", "containers") {
		c.p.Printf("  %s:\n    Image:  %s\n", text(k, "name"), text(k, "image"))
	}
	c.p.Print("Events:\n")
	message := text(o, "status", "message")
	for _, k := range items(o, "status", "conditions") {
		if m := text(k, "message"); m != "" {
			message = m
		}
	}
	c.p.Printf("  %s\n", or(message, "<none>"))
}

// logs says why a container does not run; what containers print is not modelled.
func (c *ctl) logs() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	args := c.args
	if len(args) > 0 && !strings.Contains(args[0], "/") {
		args = []string{"pod/" + args[0]}
	}
	found, err := c.find(args, "get")
	if err != nil {
		return err
	}
	for _, i := range found {
		if i.plural != "pods" {
			return errors.New("error: the simulator's model of kubectl logs takes pods only")
		}
		o := c.podView(i.o)
		if m := text(o, "status", "message"); m != "" {
			c.p.Print(m + "\n")
		} else {
			c.p.Errorf("(simulated: what containers print is not modelled)")
		}
	}
	return nil
}
