package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/network"
	"podium/provision/machine/sim/option"
)

const kubectlOptions = "n,namespace: o,output: A,all-namespaces kubeconfig: context: no-headers l,selector: raw: f,filename: k,kustomize: server-side force-conflicts overwrite " +
	"w,watch for: timeout: all patch,p: type: show-labels client short request-timeout: force wait ignore-not-found field-selector: replicas: image: port: dry-run: " +
	"ignore-daemonsets delete-emptydir-data grace-period: sort-by: v: minify flatten cascade: generator: restart: create-namespace tail: c,container: previous expose target-port: name: command"

func kubectl(ctx context.Context, p *guest.Process) int {
	o, ok := option.ParseArgs(p, "error", p.Args[1:], kubectlOptions, option.GNU)
	if !ok {
		return 1
	}
	c := &ctl{ctx: ctx, p: p, m: p.Machine(), o: o, args: o.Args, namespace: o.Or("n", "default")}
	if err := c.run(); err != nil {
		var silent *exitCode
		if errors.As(err, &silent) {
			return silent.code
		}
		if ctx.Err() == nil {
			p.Errorf("%v", err)
		}
		return 1
	}
	return 0
}

// exitCode ends kubectl with a code and no message.
type exitCode struct{ code int }

func (e *exitCode) Error() string { return fmt.Sprint("exit code ", e.code) }

// ctl is one run of kubectl.
type ctl struct {
	ctx       context.Context
	p         *guest.Process
	m         *guest.Machine
	o         option.Set
	args      []string
	namespace string
}

func (c *ctl) run() error {
	if len(c.args) == 0 && !c.o.Has("raw") {
		c.p.Print("kubectl controls the Kubernetes cluster manager. (simulated)\n")
		return nil
	}
	verb := ""
	if len(c.args) > 0 {
		verb = c.args[0]
	}
	switch verb {
	case "version":
		c.p.Printf("Client Version: v%s (simulated)\n", c.p.Version)
		if c.o.Has("client") {
			return nil
		}
		cluster, err := c.cluster()
		if err == nil {
			c.p.Printf("Server Version: %s\n", cluster.Version)
		}
		return err
	case "completion":
		return nil
	case "config":
		return c.config()
	}
	cluster, err := c.cluster()
	if err != nil {
		return err
	}
	switch verb {
	case "get", "describe":
		return c.get(cluster)
	case "apply", "create":
		return c.apply(cluster)
	case "delete":
		return c.delete(cluster)
	case "label", "annotate":
		return c.label(cluster)
	case "patch":
		return c.patch(cluster)
	case "wait":
		return c.wait(cluster)
	case "rollout":
		return c.rollout(cluster)
	case "cluster-info":
		c.p.Print("Kubernetes control plane is running (simulated)\n")
		return nil
	case "taint":
		return c.taint(cluster)
	case "cordon", "uncordon", "drain":
		return c.cordon(cluster)
	case "scale":
		return c.scale(cluster)
	case "logs", "exec", "top", "port-forward", "run", "expose", "edit", "auth", "api-resources", "explain", "cp", "set":
		return fmt.Errorf("error: the simulator's model of kubectl has no %s", verb)
	}
	return fmt.Errorf("error: unknown command %q for \"kubectl\"", verb)
}

// cluster finds the cluster that the configuration names.
func (c *ctl) cluster() (*Cluster, error) {
	file := c.o.Value("kubeconfig")
	if file == "" {
		file = c.p.Getenv("KUBECONFIG")
	}
	if file == "" {
		file = c.p.Getenv("HOME") + "/.kube/config"
		if _, err := c.m.FS.Stat(c.p.Cred, file); err != nil {
			return nil, errors.New("The connection to the server localhost:8080 was refused - did you specify the right host or port?") //nolint:staticcheck // kubectl's words
		}
	}
	acc, err := readKubeconfig(c.m.FS, c.p.Cred, file)
	if err != nil {
		if strings.Contains(err.Error(), "no such file") && c.o.Value("kubeconfig") == "" {
			return nil, errors.New("The connection to the server localhost:8080 was refused - did you specify the right host or port?") //nolint:staticcheck // kubectl's words
		}
		return nil, err
	}
	cluster, err := dial(c.ctx, c.m, acc.server, acc.cluster)
	switch {
	case err == nil:
		return cluster, nil
	case errors.Is(err, errQuorum):
		return nil, fmt.Errorf("Error from server: %w", err) //nolint:staticcheck // kubectl's words
	case errors.Is(err, errOther):
		return nil, fmt.Errorf("Unable to connect to the server: %w", err) //nolint:staticcheck // kubectl's words
	}
	if strings.Contains(err.Error(), "refused") {
		return nil, fmt.Errorf("The connection to the server %s was refused - did you specify the right host or port?", acc.server) //nolint:staticcheck // kubectl's words
	}
	return nil, fmt.Errorf("Unable to connect to the server: %w", err) //nolint:staticcheck // kubectl's words
}

func (c *ctl) config() error {
	file := c.p.Getenv("KUBECONFIG")
	if file == "" {
		file = c.p.Getenv("HOME") + "/.kube/config"
	}
	switch {
	case len(c.args) > 1 && c.args[1] == "view":
		text, err := c.m.FS.ReadFile(c.p.Cred, file)
		if err != nil {
			return nil
		}
		c.p.Print(text)
		return nil
	case len(c.args) > 1 && c.args[1] == "current-context":
		acc, err := readKubeconfig(c.m.FS, c.p.Cred, file)
		if err != nil {
			return errors.New("error: current-context is not set")
		}
		c.p.Print(acc.user + "@" + acc.cluster + "\n")
		return nil
	}
	return fmt.Errorf("error: the simulator's model of kubectl has no config %s", strings.Join(c.args[1:], " "))
}

// kindOf is the kind that a resource name stands for, and whether it belongs to a namespace.
func kindOf(name string) (kind string, namespaced bool, ok bool) {
	name, _, _ = strings.Cut(name, ".")
	switch strings.ToLower(name) {
	case "node", "nodes", "no":
		return "Node", false, true
	case "pod", "pods", "po":
		return "Pod", true, true
	case "deployment", "deployments", "deploy":
		return "Deployment", true, true
	case "daemonset", "daemonsets", "ds":
		return "DaemonSet", true, true
	case "statefulset", "statefulsets", "sts":
		return "StatefulSet", true, true
	case "service", "services", "svc":
		return "Service", true, true
	case "configmap", "configmaps", "cm":
		return "ConfigMap", true, true
	case "secret", "secrets":
		return "Secret", true, true
	case "namespace", "namespaces", "ns":
		return "Namespace", false, true
	case "serviceaccount", "serviceaccounts", "sa":
		return "ServiceAccount", true, true
	case "ingress", "ingresses", "ing":
		return "Ingress", true, true
	case "job", "jobs":
		return "Job", true, true
	case "clusterrole", "clusterroles":
		return "ClusterRole", false, true
	case "clusterrolebinding", "clusterrolebindings":
		return "ClusterRoleBinding", false, true
	case "storageclass", "storageclasses", "sc":
		return "StorageClass", false, true
	case "persistentvolume", "pv":
		return "PersistentVolume", false, true
	case "persistentvolumeclaim", "pvc":
		return "PersistentVolumeClaim", true, true
	}
	return "", false, false
}

// plural is the name of a kind in messages: nodes, deployments.apps.
func plural(kind string) string {
	s := strings.ToLower(kind) + "s"
	switch kind {
	case "Deployment", "DaemonSet", "StatefulSet":
		s += ".apps"
	case "Ingress":
		s = "ingresses.networking.k8s.io"
	}
	return s
}

func singular(kind string) string {
	s := strings.ToLower(kind)
	switch kind {
	case "Deployment", "DaemonSet", "StatefulSet":
		return s + ".apps"
	case "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding":
		return s + ".rbac.authorization.k8s.io"
	}
	return s
}

// targets are the resources that arguments name: "node w1 w2", "node/w1", "nodes".
func (c *ctl) targets(args []string) (kind string, names []string, err error) {
	if len(args) == 0 {
		return "", nil, errors.New("error: Required resource not specified.") //nolint:staticcheck // kubectl's words
	}
	if k, name, ok := strings.Cut(args[0], "/"); ok {
		kind, _, known := kindOf(k)
		if !known {
			return "", nil, fmt.Errorf("error: the server doesn't have a resource type %q", k)
		}
		return kind, []string{name}, nil
	}
	kind, _, known := kindOf(args[0])
	if !known {
		return "", nil, fmt.Errorf("error: the server doesn't have a resource type %q (or one the simulator's model does not have)", args[0])
	}
	return kind, args[1:], nil
}

// list are the resources of a kind, as the API shows them. The cluster's lock must not be held.
func (c *ctl) list(cluster *Cluster, kind string) []object {
	var list []object
	switch kind {
	case "Node":
		list = c.nodes(cluster)
	case "Pod":
		list = c.pods(cluster)
	case "Namespace":
		for _, ns := range c.namespaces(cluster) {
			list = append(list, object{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": ns}, "status": map[string]any{"phase": "Active"}})
		}
	default:
		cluster.mu.Lock()
		keys := slices.Sorted(maps.Keys(cluster.Objects))
		for _, key := range keys {
			if strings.HasPrefix(key, kind+"/") && key != "ConfigMap/kube-system/kubeadm-config" {
				list = append(list, cluster.Objects[key].clone())
			}
		}
		if kind == "ConfigMap" {
			list = append(list, cluster.info())
		}
		cluster.mu.Unlock()
		for _, o := range list {
			c.status(cluster, o)
		}
	}
	if _, namespaced, _ := kindOf(kind); namespaced && !c.o.Has("A") {
		list = slices.DeleteFunc(list, func(o object) bool { return o.meta("namespace") != c.namespace })
	}
	return slices.DeleteFunc(list, func(o object) bool { return !o.selected(c.o.Value("l")) })
}

// info is the public description of the cluster, signed with each token; the lock must be held.
func (c *Cluster) info() object {
	data := map[string]any{"kubeconfig": "simulated"}
	for id := range c.Tokens {
		data["jws-kubeconfig-"+id] = "simulated.." + id
	}
	return object{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "cluster-info", "namespace": "kube-public"}, "data": data,
	}
}

func (c *ctl) namespaces(cluster *Cluster) []string {
	set := map[string]bool{"default": true, "kube-system": true, "kube-public": true, "kube-node-lease": true}
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	for key := range cluster.Objects {
		if name, ok := strings.CutPrefix(key, "Namespace//"); ok {
			set[name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func (o object) clone() object {
	text, err := json.Marshal(o)
	if err != nil {
		return o
	}
	var n object
	if json.Unmarshal(text, &n) != nil {
		return o
	}
	return n
}

func (o object) meta(key string) string {
	m, _ := o["metadata"].(map[string]any)
	s, _ := m[key].(string)
	return s
}

// selected applies a label selector: a=b, a!=b, a, !a, joined by commas.
func (o object) selected(selector string) bool {
	if selector == "" {
		return true
	}
	m, _ := o["metadata"].(map[string]any)
	labels := map[string]any{}
	switch l := m["labels"].(type) {
	case map[string]any:
		labels = l
	case map[string]string:
		for k, v := range l {
			labels[k] = v
		}
	}
	for part := range strings.SplitSeq(selector, ",") {
		key, want, eq := strings.Cut(part, "=")
		negate := strings.HasSuffix(key, "!")
		key = strings.TrimSuffix(key, "!")
		if name, not := strings.CutPrefix(key, "!"); not && !eq {
			if _, has := labels[name]; has {
				return false
			}
			continue
		}
		v, has := labels[key]
		switch {
		case !eq && !has, eq && negate == (has && fmt.Sprint(v) == strings.TrimPrefix(want, "=")):
			return false
		}
	}
	return true
}

// documents reads the files of -f: several documents each.
func (c *ctl) documents() ([]object, error) {
	if c.o.Has("k") {
		return nil, errors.New("error: the simulator's model of kubectl has no -k")
	}
	var all []object
	for _, name := range c.o.Values("f") {
		text, err := c.read(name)
		if err != nil {
			return nil, err
		}
		d := yaml.NewDecoder(strings.NewReader(text))
		for {
			var doc map[string]any
			err := d.Decode(&doc)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("error: error parsing %s: error converting YAML to JSON: %w", name, err)
			}
			if doc == nil {
				continue
			}
			o := object(doc)
			if kind, _ := o["kind"].(string); kind == "" || o.meta("name") == "" {
				return nil, fmt.Errorf("error: error validating %q: error validating data: kind or metadata.name not set", name)
			}
			all = append(all, o)
		}
	}
	if len(c.o.Values("f")) == 0 {
		return nil, errors.New("error: must specify one of -f and -k")
	}
	return all, nil
}

func (c *ctl) read(name string) (string, error) {
	switch {
	case name == "-":
		text, err := io.ReadAll(c.p.Stdin())
		return string(text), err
	case strings.Contains(name, "://"):
		r, err := network.Get(c.ctx, c.m, name)
		if err != nil {
			return "", fmt.Errorf("error: unable to read URL %q: %w", name, err)
		}
		if r.Code != 200 {
			return "", fmt.Errorf("error: unable to read URL %q, server reported %d, status code=%[2]d", name, r.Code)
		}
		return r.Body, nil
	}
	f, err := c.p.Open(name, os.O_RDONLY, 0)
	if err != nil {
		return "", fmt.Errorf("error: the path %q does not exist", name)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	return string(text), err
}

func (o object) key() string {
	kind, _ := o["kind"].(string)
	_, namespaced, known := kindOf(kind)
	ns := o.meta("namespace")
	if known && !namespaced {
		ns = ""
	}
	return kind + "/" + ns + "/" + o.meta("name")
}

func (c *ctl) apply(cluster *Cluster) error {
	if c.args[0] == "create" && !c.o.Has("f") {
		return c.create(cluster)
	}
	docs, err := c.documents()
	if err != nil {
		return err
	}
	namespaces := c.namespaces(cluster)
	failed := false
	for _, o := range docs {
		kind, _ := o["kind"].(string)
		if _, namespaced, known := kindOf(kind); (namespaced || !known) && o.meta("namespace") == "" {
			o["metadata"].(map[string]any)["namespace"] = c.namespace
		}
		if kind == "Namespace" {
			namespaces = append(namespaces, o.meta("name"))
		}
		if ns := o.meta("namespace"); ns != "" && !slices.Contains(namespaces, ns) {
			c.p.Errorf("Error from server (NotFound): error when creating: namespaces %q not found", ns)
			failed = true
			continue
		}
		what := "created"
		cluster.mu.Lock()
		if old := cluster.Objects[o.key()]; old != nil {
			what = "configured"
			if same(old, o) {
				what = "unchanged"
			}
			if c.args[0] == "create" {
				cluster.mu.Unlock()
				c.p.Errorf("Error from server (AlreadyExists): error when creating: %s %q already exists", plural(kind), o.meta("name"))
				failed = true
				continue
			}
		}
		cluster.Objects[o.key()] = o
		cluster.changed()
		cluster.mu.Unlock()
		if c.o.Has("server-side") {
			what = "serverside-applied"
		}
		c.p.Printf("%s/%s %s\n", singular(kind), o.meta("name"), what)
	}
	c.flannel(cluster)
	if failed {
		return &exitCode{1}
	}
	return nil
}

func same(a, b object) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

// flannel starts flannel's pods on all nodes, if it was applied.
func (c *ctl) flannel(cluster *Cluster) {
	cluster.mu.Lock()
	var addresses []string
	for _, n := range cluster.Nodes {
		addresses = append(addresses, n.Machine)
	}
	cluster.mu.Unlock()
	for _, a := range addresses {
		m := c.m.Net.Peer(a)
		if m != nil && m.Kernel() != nil {
			runFlannel(cluster, m)
		}
	}
}

func (c *ctl) create(cluster *Cluster) error {
	kind, names, err := c.targets(c.args[1:])
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return errors.New("error: exactly one NAME is required, got 0")
	}
	name := names[0]
	o := object{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"name": name}}
	switch kind {
	case "Namespace":
	case "Deployment":
		n := 1
		if c.o.Has("replicas") {
			n = atoi(c.o.Value("replicas"))
		}
		o = workload(kind, c.namespace, name, n)
	default:
		return fmt.Errorf("error: the simulator's model of kubectl cannot create %s without a file", kind)
	}
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	if cluster.Objects[o.key()] != nil {
		return fmt.Errorf("error: failed to create %s: %s %q already exists", strings.ToLower(kind), plural(kind), name)
	}
	cluster.Objects[o.key()] = o
	cluster.changed()
	c.p.Printf("%s/%s created\n", singular(kind), name)
	return nil
}

func (c *ctl) delete(cluster *Cluster) error {
	var keys []string
	if c.o.Has("f") {
		docs, err := c.documents()
		if err != nil {
			return err
		}
		for _, o := range docs {
			if o.meta("namespace") == "" {
				if _, namespaced, _ := kindOf(fmt.Sprint(o["kind"])); namespaced {
					o["metadata"].(map[string]any)["namespace"] = c.namespace
				}
			}
			keys = append(keys, o.key())
		}
	} else {
		kind, names, err := c.targets(c.args[1:])
		if err != nil {
			return err
		}
		if kind == "Pod" {
			for _, n := range names {
				c.p.Printf("pod %q deleted\n", n) // its owner makes another
			}
			return nil
		}
		if c.o.Has("all") {
			for _, o := range c.list(cluster, kind) {
				names = append(names, o.meta("name"))
			}
		}
		for _, n := range names {
			_, namespaced, _ := kindOf(kind)
			ns := c.namespace
			if !namespaced {
				ns = ""
			}
			keys = append(keys, kind+"/"+ns+"/"+n)
		}
	}
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	for _, key := range keys {
		f := strings.SplitN(key, "/", 3)
		if f[0] == "Node" && cluster.Nodes[f[2]] != nil {
			delete(cluster.Nodes, f[2])
		} else if cluster.Objects[key] != nil {
			delete(cluster.Objects, key)
		} else if !c.o.Has("ignore-not-found") {
			return fmt.Errorf("Error from server (NotFound): %s %q not found", plural(f[0]), f[2]) //nolint:staticcheck // kubectl's words
		} else {
			continue
		}
		cluster.changed()
		c.p.Printf("%s %q deleted\n", singular(f[0]), f[2])
	}
	return nil
}

func age(from, now time.Time) string {
	d := now.Sub(from)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%dh", int(d.Hours()))
}
