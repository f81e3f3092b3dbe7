package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// ctl is one call of kubectl.
type ctl struct {
	*session
	ctx  context.Context
	p    *guest.Process
	o    option.Set
	args []string // operands after the verb
	conf kubeconfig
	verb string
}

const commonFlags = "kubeconfig: context: n,namespace: request-timeout: v: s,server:"

// verbs are the commands of kubectl in the model, with their flags.
func verbs() map[string]struct {
	flags string
	run   func(*ctl) error
} {
	type verb = struct {
		flags string
		run   func(*ctl) error
	}
	const output, dry = " o,output: ", " dry-run? "
	return map[string]verb{
		"get":      {"A,all-namespaces o,output: l,selector: no-headers raw: f,filename: ignore-not-found w,watch", (*ctl).get},
		"describe": {"A,all-namespaces l,selector: f,filename:", (*ctl).describe},
		"apply":    {"f,filename: server-side force-conflicts k,kustomize:" + output + dry, (*ctl).apply},
		"create":   {"f,filename: image: replicas: port: from-literal: duration:" + output + dry, (*ctl).create},
		"delete":   {"f,filename: all l,selector: A,all-namespaces grace-period: now force timeout: wait? ignore-not-found" + output, (*ctl).delete},
		"patch":    {"p,patch: type: patch-file:" + output, (*ctl).patch},
		"label":    {"overwrite all l,selector:" + output, (*ctl).label},
		"annotate": {"overwrite all l,selector:" + output, (*ctl).label},
		"scale":    {"replicas: timeout: f,filename:" + output, (*ctl).scale},
		"rollout":  {"timeout: f,filename:" + output, (*ctl).rollout},
		"set":      {"all" + output, (*ctl).set},
		"wait":     {"for: timeout: all l,selector: A,all-namespaces f,filename:" + output, (*ctl).wait},
		"run":      {"image: port:" + output + dry, (*ctl).runPod},
		"expose":   {"port: target-port: type: name: protocol:" + output, (*ctl).expose},
		"top":      {"no-headers l,selector:", (*ctl).top},
		"cordon":   {"l,selector:", (*ctl).cordon},
		"uncordon": {"l,selector:", (*ctl).cordon},
		"drain":    {"ignore-daemonsets delete-emptydir-data force timeout: grace-period: l,selector:", (*ctl).drain},
		"logs":     {"c,container: f,follow tail: previous l,selector: since: all-containers", (*ctl).logs},
		"auth":     {"list q,quiet subresource: as: A,all-namespaces", (*ctl).auth},
		"version":  {"client short o,output:", nil},
		"config":   {"current", nil},
	}
}

func kubectl(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, commonFlags+" h,help", option.First)
	if !ok {
		return 1
	}
	all := verbs()
	name := o.Args[0]
	v, ok := all[name]
	if !ok {
		p.Errorf("error: unknown command %q for \"kubectl\" (or one that the simulator's model does not have)", name)
		return 1
	}
	before := p.Args[1 : len(p.Args)-len(o.Args)]
	if o, ok = option.ParseArgs(p, "kubectl "+name, slices.Concat(before, o.Args[1:]), commonFlags+" "+v.flags, option.GNU); !ok {
		return 1
	}
	c := &ctl{ctx: ctx, p: p, o: o, args: o.Args, verb: name}
	err := c.run(v.run)
	if err == nil {
		return 0
	}
	var several errorList
	if errors.As(err, &several) {
		for _, e := range several {
			p.Errorf("%v", e)
		}
	} else if err.Error() != "" {
		p.Errorf("%v", err)
	}
	return 1
}

// errorList is printed a line each.
type errorList []error

func (l errorList) Error() string { return errors.Join(l...).Error() }

// run carries out a verb; errors are worded as kubectl prints them.
func (c *ctl) run(do func(*ctl) error) error {
	switch c.verb {
	case "version":
		return c.versions()
	case "config":
		return c.config()
	}
	if err := c.connect(); err != nil {
		return err
	}
	return do(c)
}

// configFile is the kubeconfig that kubectl would use.
func (c *ctl) configFile() string {
	if f := c.o.Value("kubeconfig"); f != "" {
		return c.p.Path(f)
	}
	if f := c.p.Getenv("KUBECONFIG"); f != "" {
		first, _, _ := strings.Cut(f, ":")
		return c.p.Path(first)
	}
	return c.p.Getenv("HOME") + "/.kube/config"
}

func (c *ctl) loadConfig() error {
	file := c.configFile()
	if _, err := c.p.FS().Stat(c.p.Cred, file); errors.Is(err, fs.ErrNotExist) {
		if c.o.Has("kubeconfig") {
			return fmt.Errorf("error: stat %s: no such file or directory", file)
		}
		return says("The connection to the server localhost:8080 was refused - did you specify the right host or port?")
	}
	var err error
	if c.conf, err = readKubeconfig(c.p.FS(), c.p.Cred, file, c.o.Value("context")); err != nil {
		return fmt.Errorf("error: %w", err)
	}
	return nil
}

func (c *ctl) connect() error {
	if err := c.loadConfig(); err != nil {
		return err
	}
	if s := c.o.Value("s"); s != "" {
		c.conf.server = s
	}
	var err error
	c.session, err = connect(c.ctx, c.p.Kernel, c.conf)
	if err == nil {
		return nil
	}
	var d *dialError
	var u *errUnauthorized
	switch {
	case errors.As(err, &d) && d.refused:
		return saysf("The connection to the server %s was refused - did you specify the right host or port?", d.server)
	case errors.As(err, &u):
		return errors.New("error: You must be logged in to the server (Unauthorized)")
	case strings.HasPrefix(err.Error(), "etcdserver"):
		return saysf("Error from server: %v", err)
	}
	return saysf("Unable to connect to the server: %v", err)
}

// namespace is the one that the call is about.
func (c *ctl) namespace() string {
	if c.o.Has("A") {
		return ""
	}
	if n := c.o.Value("n"); n != "" {
		return n
	}
	if c.conf.space != "" {
		return c.conf.space
	}
	return "default"
}

// now is the control plane's time.
func (c *ctl) now() time.Time { return c.api.kernel.Clock() }

// allow checks that the client may do something with a resource.
func (c *ctl) allow(what string, k key, r resource) error {
	own := strings.TrimPrefix(c.user, "system:node:")
	if c.admin() || (what == "get" || what == "patch") && k.kind == "nodes" && k.name == own && k.name != "" {
		return nil
	}
	where := "at the cluster scope"
	if r.namespaced {
		where = fmt.Sprintf("in the namespace %q", k.namespace)
	}
	subject := k.kind
	if k.name != "" {
		subject += fmt.Sprintf(" %q", k.name)
	}
	group, _, grouped := strings.Cut(r.apiVersion, "/")
	if !grouped {
		group = ""
	}
	return saysf("Error from server (Forbidden): %s is forbidden: User %q cannot %s resource %q in API group %q %s", subject, c.user, what, k.kind, group, where)
}

// output is the form that -o asks for.
func (c *ctl) output() string { return strings.TrimPrefix(c.o.Value("o"), "=") }

// write puts an object; an error is worded as the API server words it.
func (c *ctl) write(k key, o object) error {
	if err := c.put(k, o); err != nil {
		return saysf("Error from server: %v", err)
	}
	return nil
}

func (c *ctl) versions() error {
	v := "v" + version(c.p, "1.36.3")
	if err := c.connectQuietly(); err != nil && !c.o.Has("client") {
		c.p.Printf("Client Version: %s\nKustomize Version: v5.7.1\n", v)
		return err
	}
	server := ""
	if c.session != nil && !c.o.Has("client") {
		server = c.api.version
	}
	switch c.output() {
	case "":
		c.p.Printf("Client Version: %s\nKustomize Version: v5.7.1\n", v)
		if server != "" {
			c.p.Printf("Server Version: %s\n", server)
		}
		return nil
	case "json", "yaml":
		o := object{"clientVersion": object{"gitVersion": v}}
		if server != "" {
			o["serverVersion"] = object{"gitVersion": server}
		}
		return c.render(o)
	}
	return fmt.Errorf("error: --output must be 'yaml' or 'json'")
}

func (c *ctl) connectQuietly() error {
	return c.connect()
}

func (c *ctl) config() error {
	verb := ""
	if len(c.args) > 0 {
		verb = c.args[0]
	}
	file := c.configFile()
	if _, err := c.p.FS().ReadFile(c.p.Cred, file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("error: error loading config file %q: open %s: %s", file, file, strings.ToLower(guest.Reason(err)))
	}
	switch verb {
	case "current-context", "get-contexts":
		if err := c.loadConfig(); err != nil {
			return errors.New("error: current-context is not set")
		}
		if verb == "current-context" {
			c.p.Print(c.conf.context + "\n")
			return nil
		}
		c.p.Print(table([][]string{{"CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"}, {"*", c.conf.context, c.conf.cluster, c.conf.user, c.conf.space}}))
		return nil
	}
	return fmt.Errorf("error: \"config %s\" is not in the simulator's model: current-context and get-contexts are", strings.Join(c.args, " "))
}

func (c *ctl) readText(file string) (string, error) {
	if file == "-" {
		var b strings.Builder
		buf := make([]byte, 4096)
		for {
			n, err := c.p.Stdin().Read(buf)
			b.Write(buf[:n])
			if err != nil {
				return b.String(), nil
			}
		}
	}
	content, err := c.p.FS().ReadFile(c.p.Cred, c.p.Path(file))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("error: the path %q does not exist", file)
	case err != nil:
		return "", fmt.Errorf("error: open %s: %s", file, strings.ToLower(guest.Reason(err)))
	}
	return content, nil
}
