package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"gopkg.in/yaml.v3"
)

// get shows resources.
func (c *ctl) get(cluster *Cluster) error {
	if c.o.Has("raw") {
		switch c.o.Value("raw") {
		case "/readyz", "/healthz", "/livez":
			c.p.Print("ok")
			return nil
		case "/version":
			c.p.Printf("{\"gitVersion\": %q}\n", cluster.Version)
			return nil
		}
		return fmt.Errorf("error: the simulator's model of kubectl has no --raw %s", c.o.Value("raw"))
	}
	kind, names, err := c.targets(c.args[1:])
	if err != nil {
		return err
	}
	list := c.list(cluster, kind)
	var missing []string
	if len(names) > 0 {
		var picked []object
		for _, n := range names {
			i := slices.IndexFunc(list, func(o object) bool { return o.meta("name") == n })
			if i < 0 {
				missing = append(missing, n)
				continue
			}
			picked = append(picked, list[i])
		}
		list = picked
	}
	for _, n := range missing {
		if !c.o.Has("ignore-not-found") {
			c.p.Errorf("Error from server (NotFound): %s %q not found", plural(kind), n)
		}
	}
	if err := c.show(kind, list, len(names) == 1); err != nil {
		return err
	}
	if len(missing) > 0 && !c.o.Has("ignore-not-found") {
		return &exitCode{1}
	}
	return nil
}

func (c *ctl) show(kind string, list []object, single bool) error {
	format, expr, _ := strings.Cut(c.o.Value("o"), "=")
	if single && len(list) == 0 {
		return nil
	}
	var whole any = map[string]any{"apiVersion": "v1", "kind": "List", "items": plain(list)}
	if single {
		whole = plain(list[0])
	}
	switch format {
	case "", "wide":
		return c.table(kind, list, format == "wide")
	case "name":
		for _, o := range list {
			c.p.Printf("%s/%s\n", singular(kind), o.meta("name"))
		}
	case "json":
		text, err := json.MarshalIndent(whole, "", "    ")
		if err != nil {
			return err
		}
		c.p.Print(string(text) + "\n")
	case "yaml":
		text, err := yaml.Marshal(whole)
		if err != nil {
			return err
		}
		c.p.Print(string(text))
	case "jsonpath":
		text, err := jsonPath(expr, whole)
		if err != nil {
			return fmt.Errorf("error: error parsing jsonpath %s, %w", expr, err)
		}
		c.p.Print(text)
	default:
		return fmt.Errorf("error: the simulator's model of kubectl has no output %q", format)
	}
	return nil
}

// plain turns a value into the types that JSON has.
func plain(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	if json.Unmarshal(text, &out) != nil {
		return nil
	}
	return out
}

func (c *ctl) table(kind string, list []object, wide bool) error {
	if len(list) == 0 {
		if c.o.Has("A") || kind == "Node" {
			c.p.Errorf("No resources found")
		} else {
			c.p.Errorf("No resources found in %s namespace.", c.namespace)
		}
		return nil
	}
	var head []string
	row := func(o object) []string { return []string{o.meta("name"), "1m"} }
	now := c.p.Kernel.Clock()
	switch kind {
	case "Node":
		head = []string{"NAME", "STATUS", "ROLES", "AGE", "VERSION"}
		if wide {
			head = append(head, "INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME")
		}
		row = func(o object) []string { return nodeRow(o, wide, now) }
	case "Pod":
		head = []string{"NAME", "READY", "STATUS", "RESTARTS", "AGE"}
		if wide {
			head = append(head, "IP", "NODE", "NOMINATED NODE", "READINESS GATES")
		}
		row = func(o object) []string {
			r := []string{o.meta("name"), str(o, "ready"), str(o, "status", "phase"), "0", "1m"}
			if wide {
				r = append(r, or(str(o, "status", "podIP"), "<none>"), or(str(o, "spec", "nodeName"), "<none>"), "<none>", "<none>")
			}
			return r
		}
	case "Deployment":
		head = []string{"NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"}
		row = func(o object) []string {
			want, have := str(o, "spec", "replicas"), or(str(o, "status", "availableReplicas"), "0")
			return []string{o.meta("name"), have + "/" + or(want, "1"), or(want, "1"), have, "1m"}
		}
	case "DaemonSet":
		head = []string{"NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODE SELECTOR", "AGE"}
		row = func(o object) []string {
			want, have := str(o, "status", "desiredNumberScheduled"), str(o, "status", "numberReady")
			return []string{o.meta("name"), want, want, have, want, have, "<none>", "1m"}
		}
	case "Namespace":
		head = []string{"NAME", "STATUS", "AGE"}
		row = func(o object) []string { return []string{o.meta("name"), "Active", "1m"} }
	default:
		head = []string{"NAME", "AGE"}
	}
	_, namespaced, _ := kindOf(kind)
	spaces := namespaced && c.o.Has("A")
	w := tabwriter.NewWriter(c.p.Stdout(), 0, 8, 3, ' ', 0)
	line := func(cols []string) { fmt.Fprintln(w, strings.Join(cols, "\t")) }
	if !c.o.Has("no-headers") {
		if spaces {
			head = append([]string{"NAMESPACE"}, head...)
		}
		line(head)
	}
	for _, o := range list {
		r := row(o)
		if spaces {
			r = append([]string{o.meta("namespace")}, r...)
		}
		line(r)
	}
	return w.Flush()
}

func nodeRow(o object, wide bool, now time.Time) []string {
	status := "NotReady"
	conditions, _ := lookup(plain(o), "status", "conditions").([]any)
	for _, c := range conditions {
		if str(c, "type") == "Ready" && str(c, "status") == "True" {
			status = "Ready"
		}
	}
	if str(o, "spec", "unschedulable") == "true" {
		status += ",SchedulingDisabled"
	}
	var roles []string
	labels, _ := lookup(plain(o), "metadata", "labels").(map[string]any)
	for l := range labels {
		if r, ok := strings.CutPrefix(l, "node-role.kubernetes.io/"); ok {
			roles = append(roles, r)
		}
	}
	slices.Sort(roles)
	created, _ := time.Parse(time.RFC3339, o.meta("creationTimestamp"))
	info := func(key string) string { return str(o, "status", "nodeInfo", key) }
	r := []string{o.meta("name"), status, or(strings.Join(roles, ","), "<none>"), age(created, now), info("kubeletVersion")}
	if wide {
		r = append(r, or(str(o, "status", "addresses", "0", "address"), "<none>"), "<none>", info("osImage"), info("kernelVersion"), info("containerRuntimeVersion"))
	}
	return r
}

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// lookup follows keys and indexes.
func lookup(v any, keys ...string) any {
	for _, k := range keys {
		switch t := v.(type) {
		case object:
			v = t[k]
		case map[string]any:
			v = t[k]
		case []any:
			i, err := strconv.Atoi(k)
			if err != nil || i < 0 || i >= len(t) {
				return nil
			}
			v = t[i]
		default:
			return nil
		}
	}
	return v
}

func str(v any, keys ...string) string {
	switch t := lookup(plain(v), keys...).(type) {
	case nil:
		return ""
	case string:
		return t
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64)
	default:
		return fmt.Sprint(t)
	}
}

// nodes are the cluster's nodes as the API shows them.
func (c *ctl) nodes(cluster *Cluster) []object {
	cluster.mu.Lock()
	names := slices.Sorted(maps.Keys(cluster.Nodes))
	nodes := make([]Node, 0, len(names))
	for _, n := range names {
		node := *cluster.Nodes[n]
		node.Labels = maps.Clone(node.Labels)
		nodes = append(nodes, node)
	}
	id := cluster.ID
	cluster.mu.Unlock()
	list := make([]object, 0, len(nodes))
	for _, n := range nodes {
		ok, reason := ready(c.m, id, n)
		status := map[bool]string{true: "True", false: "False"}[ok]
		if strings.HasPrefix(reason, "NodeStatusUnknown") {
			status = "Unknown"
		}
		var taints []any
		for _, t := range n.Taints {
			key, effect, _ := strings.Cut(t, ":")
			taints = append(taints, map[string]any{"key": key, "effect": effect})
		}
		spec := map[string]any{}
		if n.PodCIDR != "" {
			spec["podCIDR"], spec["podCIDRs"] = n.PodCIDR, []any{n.PodCIDR}
		}
		if taints != nil {
			spec["taints"] = taints
		}
		if n.Cordoned {
			spec["unschedulable"] = true
		}
		word, message, _ := strings.Cut(reason, ": ")
		list = append(list, object{
			"apiVersion": "v1", "kind": "Node",
			"metadata": map[string]any{"name": n.Name, "labels": n.Labels, "creationTimestamp": n.Created.UTC().Format(time.RFC3339)},
			"spec":     spec,
			"status": map[string]any{
				"addresses":  []any{map[string]any{"type": "InternalIP", "address": n.InternalIP}, map[string]any{"type": "Hostname", "address": n.Name}},
				"conditions": []any{map[string]any{"type": "Ready", "status": status, "reason": word, "message": message}},
				"nodeInfo": map[string]any{
					"kubeletVersion": n.Version, "osImage": n.OS, "kernelVersion": n.Kernel, "containerRuntimeVersion": n.Runtime,
				},
			},
		})
	}
	return list
}

// schedulable are the names of nodes that take pods.
func (c *ctl) schedulable(cluster *Cluster) (all, free []string) {
	cluster.mu.Lock()
	nodes := make([]Node, 0, len(cluster.Nodes))
	for _, n := range cluster.Nodes {
		nodes = append(nodes, *n)
	}
	id := cluster.ID
	cluster.mu.Unlock()
	for _, n := range nodes {
		if ok, _ := ready(c.m, id, n); ok {
			all = append(all, n.Name)
			if len(n.Taints) == 0 && !n.Cordoned {
				free = append(free, n.Name)
			}
		}
	}
	slices.Sort(all)
	slices.Sort(free)
	return all, free
}

// status fills in how a workload is.
func (c *ctl) status(cluster *Cluster, o object) {
	switch o["kind"] {
	case "Deployment", "StatefulSet":
		all, free := c.schedulable(cluster)
		spec, _ := o["spec"].(map[string]any)
		want := 1
		if n, ok := spec["replicas"]; ok {
			want = atoi(fmt.Sprint(n))
		}
		have := want
		where := free
		if o.meta("namespace") == "kube-system" {
			where = all // these tolerate control planes
		}
		if len(where) == 0 {
			have = 0
		}
		status := map[string]any{"replicas": want, "updatedReplicas": want}
		if have > 0 {
			status["availableReplicas"], status["readyReplicas"] = have, have
		}
		o["status"] = status
	case "DaemonSet":
		all, _ := c.schedulable(cluster)
		cluster.mu.Lock()
		want := len(cluster.Nodes)
		cluster.mu.Unlock()
		o["status"] = map[string]any{"desiredNumberScheduled": want, "currentNumberScheduled": want, "numberReady": len(all), "numberAvailable": len(all)}
	}
}

// pods are what the workloads and control planes run.
func (c *ctl) pods(cluster *Cluster) []object {
	all, free := c.schedulable(cluster)
	cluster.mu.Lock()
	nodes := slices.Sorted(maps.Keys(cluster.Nodes))
	members := map[string]bool{}
	for name := range cluster.Members {
		members[name] = cluster.running[name] != nil
	}
	objects := map[string]object{}
	for k, o := range cluster.Objects {
		objects[k] = o.clone()
	}
	cluster.mu.Unlock()
	var list []object
	pod := func(namespace, name, node string, running bool, labels any) {
		phase, ready := "Running", "1/1"
		if !running {
			phase, ready = "Pending", "0/1"
		}
		list = append(list, object{
			"apiVersion": "v1", "kind": "Pod", "ready": ready, "metadata": map[string]any{"name": name, "namespace": namespace, "labels": labels},
			"spec": map[string]any{"nodeName": node}, "status": map[string]any{"phase": phase},
		})
	}
	for _, n := range slices.Sorted(maps.Keys(members)) {
		for _, part := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
			pod("kube-system", part+"-"+n, n, members[n], map[string]any{"component": part, "tier": "control-plane"})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		o := objects[key]
		labels := lookup(plain(o), "spec", "selector", "matchLabels")
		name, ns := o.meta("name"), o.meta("namespace")
		switch o["kind"] {
		case "DaemonSet":
			for _, n := range nodes {
				pod(ns, name+"-"+short(name+n, 5), n, slices.Contains(all, n), labels)
			}
		case "Deployment":
			where := free
			if ns == "kube-system" {
				where = all
			}
			want := 1
			if n := str(o, "spec", "replicas"); n != "" {
				want = atoi(n)
			}
			for i := range want {
				node := ""
				if len(where) > 0 {
					node = where[i%len(where)]
				}
				pod(ns, name+"-"+short(name, 9)+"-"+short(fmt.Sprint(name, i), 5), node, node != "", labels)
			}
		}
	}
	return list
}

// short is a name's hash in the letters that Kubernetes uses.
func short(s string, n int) string {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	h := fnv.New64a()
	h.Write([]byte(s))
	v := h.Sum64()
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[v%uint64(len(letters))]
		v /= uint64(len(letters))
	}
	return string(b)
}

func (c *ctl) label(cluster *Cluster) error {
	var pairs, rest []string
	for _, a := range c.args[1:] {
		if strings.Contains(a, "=") || strings.HasSuffix(a, "-") {
			pairs = append(pairs, a)
		} else {
			rest = append(rest, a)
		}
	}
	kind, names, err := c.targets(rest)
	if err != nil {
		return err
	}
	if kind != "Node" {
		return fmt.Errorf("error: the simulator's model of kubectl %ss only nodes", c.args[0])
	}
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	if c.o.Has("all") {
		names = slices.Sorted(maps.Keys(cluster.Nodes))
	}
	if len(names) == 0 {
		return errors.New("error: resource(s) were provided, but no name was specified")
	}
	for _, name := range names {
		n := cluster.Nodes[name]
		if n == nil {
			return fmt.Errorf("Error from server (NotFound): nodes %q not found", name) //nolint:staticcheck // kubectl's words
		}
		changed := false
		for _, pair := range pairs {
			if c.args[0] == "annotate" {
				changed = true
				continue
			}
			if key, drop := strings.CutSuffix(pair, "-"); drop && !strings.Contains(pair, "=") {
				delete(n.Labels, key)
				changed = true
				continue
			}
			key, value, _ := strings.Cut(pair, "=")
			old, has := n.Labels[key]
			if has && old != value && !c.o.Has("overwrite") {
				return fmt.Errorf("error: '%s' already has a value (%s), and --overwrite is false", key, old)
			}
			changed = changed || !has || old != value
			n.Labels[key] = value
		}
		if changed {
			cluster.changed()
			c.p.Printf("node/%s %sed\n", name, strings.TrimSuffix(c.args[0], "e"))
		} else {
			c.p.Printf("node/%s not labeled\n", name)
		}
	}
	return nil
}

func (c *ctl) patch(cluster *Cluster) error {
	kind, names, err := c.targets(c.args[1:])
	if err != nil {
		return err
	}
	var patch map[string]any
	if err := yaml.Unmarshal([]byte(c.o.Value("patch")), &patch); err != nil {
		return fmt.Errorf("error: unable to parse %q: %w", c.o.Value("patch"), err)
	}
	if kind != "Node" || len(names) != 1 {
		return errors.New("error: the simulator's model of kubectl patches one node at a time")
	}
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	n := cluster.Nodes[names[0]]
	if n == nil {
		return fmt.Errorf("Error from server (NotFound): nodes %q not found", names[0]) //nolint:staticcheck // kubectl's words
	}
	spec, _ := patch["spec"].(map[string]any)
	if cidr, ok := spec["podCIDR"].(string); ok {
		if n.PodCIDR != "" && n.PodCIDR != cidr {
			return fmt.Errorf("The Node %q is invalid: spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid", n.Name) //nolint:staticcheck // kubectl's words
		}
		n.PodCIDR = cidr
	}
	cluster.changed()
	c.p.Printf("node/%s patched\n", n.Name)
	return nil
}

func (c *ctl) taint(cluster *Cluster) error {
	if len(c.args) < 4 && !c.o.Has("all") {
		return errors.New("error: at least one taint update is required")
	}
	kind, names, err := c.targets(c.args[1:])
	if err != nil || kind != "Node" {
		return fmt.Errorf("error: only nodes can be tainted")
	}
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	spec := names[len(names)-1]
	names = names[:len(names)-1]
	if c.o.Has("all") {
		names = slices.Sorted(maps.Keys(cluster.Nodes))
	}
	for _, name := range names {
		n := cluster.Nodes[name]
		if n == nil {
			return fmt.Errorf("Error from server (NotFound): nodes %q not found", name) //nolint:staticcheck // kubectl's words
		}
		drop, remove := strings.CutSuffix(spec, "-")
		n.Taints = slices.DeleteFunc(slices.Clone(n.Taints), func(t string) bool { return t == strings.Replace(drop, "=:", ":", 1) || strings.HasPrefix(t, drop+":") })
		if !remove {
			n.Taints = append(n.Taints, strings.Replace(spec, "=:", ":", 1))
		}
		cluster.changed()
		c.p.Printf("node/%s %s\n", name, map[bool]string{true: "untainted", false: "tainted"}[remove])
	}
	return nil
}

func (c *ctl) cordon(cluster *Cluster) error {
	if len(c.args) < 2 {
		return errors.New("error: node name is required")
	}
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	for _, name := range c.args[1:] {
		n := cluster.Nodes[strings.TrimPrefix(name, "node/")]
		if n == nil {
			return fmt.Errorf("Error from server (NotFound): nodes %q not found", name) //nolint:staticcheck // kubectl's words
		}
		n.Cordoned = c.args[0] != "uncordon"
		cluster.changed()
		c.p.Printf("node/%s %sed\n", n.Name, strings.TrimSuffix(c.args[0], "e"))
	}
	return nil
}

func (c *ctl) scale(cluster *Cluster) error {
	kind, names, err := c.targets(c.args[1:])
	if err != nil {
		return err
	}
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	for _, n := range names {
		o := cluster.Objects[kind+"/"+c.namespace+"/"+n]
		if o == nil {
			return fmt.Errorf("Error from server (NotFound): %s %q not found", plural(kind), n) //nolint:staticcheck // kubectl's words
		}
		fresh := o.clone()
		if spec, ok := fresh["spec"].(map[string]any); ok {
			spec["replicas"] = atoi(c.o.Value("replicas"))
		}
		cluster.Objects[fresh.key()] = fresh
		cluster.changed()
		c.p.Printf("%s/%s scaled\n", singular(kind), n)
	}
	return nil
}

// wait waits for a condition; what does not hold at once is asked again until the time is over.
func (c *ctl) wait(cluster *Cluster) error {
	kind, names, err := c.targets(c.args[1:])
	if err != nil {
		return err
	}
	limit, err := time.ParseDuration(c.o.Or("timeout", "30s"))
	if err != nil {
		return fmt.Errorf("error: invalid argument %q for \"--timeout\" flag", c.o.Value("timeout"))
	}
	want, _ := strings.CutPrefix(strings.ToLower(c.o.Value("for")), "condition=")
	deadline := time.Now().Add(limit)
	for {
		var waiting []string
		found := 0
		for _, o := range c.list(cluster, kind) {
			if len(names) > 0 && !slices.Contains(names, o.meta("name")) {
				continue
			}
			found++
			if !holds(o, want) {
				waiting = append(waiting, o.meta("name"))
			}
		}
		switch {
		case found == 0 && (len(names) > 0 || !c.o.Has("all")):
			return errors.New("error: no matching resources found")
		case len(waiting) == 0:
			c.p.Printf("%s condition met\n", kind)
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("error: timed out waiting for the condition on %s/%s", plural(kind), waiting[0])
		}
		if err := pause(c.ctx); err != nil {
			return err
		}
	}
}

func holds(o object, want string) bool {
	switch o["kind"] {
	case "Node":
		return want == "ready" && str(o, "status", "conditions", "0", "status") == "True"
	case "Pod":
		return str(o, "status", "phase") == "Running"
	case "Deployment":
		return str(o, "status", "availableReplicas") != ""
	}
	return true
}

func (c *ctl) rollout(cluster *Cluster) error {
	if len(c.args) < 3 {
		return errors.New("error: required resource not specified")
	}
	if c.args[1] == "restart" {
		c.p.Printf("%s restarted\n", c.args[2])
		return nil
	}
	if c.args[1] != "status" {
		return fmt.Errorf("error: the simulator's model of kubectl has no rollout %s", c.args[1])
	}
	kind, names, err := c.targets(c.args[2:])
	if err != nil {
		return err
	}
	limit, err := time.ParseDuration(c.o.Or("timeout", "0s"))
	if err != nil {
		return err
	}
	deadline := time.Now().Add(limit)
	for {
		done := true
		for _, n := range names {
			i := slices.IndexFunc(c.list(cluster, kind), func(o object) bool { return o.meta("name") == n })
			if i < 0 {
				return fmt.Errorf("Error from server (NotFound): %s %q not found", plural(kind), n) //nolint:staticcheck // kubectl's words
			}
			o := c.list(cluster, kind)[i]
			done = done && (kind != "Deployment" || str(o, "status", "availableReplicas") != "") &&
				(kind != "DaemonSet" || str(o, "status", "numberReady") == str(o, "status", "desiredNumberScheduled"))
		}
		if done {
			c.p.Printf("%s %q successfully rolled out\n", strings.ToLower(kind), strings.Join(names, " "))
			return nil
		}
		if limit > 0 && time.Now().After(deadline) {
			return errors.New("error: timed out waiting for the condition")
		}
		if err := pause(c.ctx); err != nil {
			return err
		}
	}
}
