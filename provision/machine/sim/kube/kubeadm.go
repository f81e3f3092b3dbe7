package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/service"
	"podium/provision/machine/sim/systemd"
	"podium/provision/machine/sim/vfs"
)

const kubeadmOptions = "config: skip-token-print ignore-preflight-errors: upload-certs certificate-key: pod-network-cidr: service-cidr: apiserver-advertise-address: " +
	"control-plane-endpoint: kubernetes-version: cri-socket: node-name: token: token-ttl: discovery-token-ca-cert-hash: control-plane apiserver-cert-extra-sans: " +
	"force,f v: o,output: ttl: description: print-join-command usages: groups: kubeconfig: apiserver-bind-port: skip-phases: dry-run cleanup-tmp-dir image-repository: " +
	"discovery-token-unsafe-skip-ca-verification cert-dir: discovery-token: feature-gates: experimental-output: allow-missing-template-keys"

func kubeadm(ctx context.Context, p *guest.Process) int {
	var words []string
	args := p.Args[1:]
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		words, args = append(words, args[0]), args[1:]
	}
	o, ok := option.ParseArgs(p, "kubeadm "+strings.Join(words, " "), args, kubeadmOptions, option.GNU)
	if !ok {
		return 1
	}
	a := &admin{ctx: ctx, p: p, m: p.Machine(), o: o, args: append(words, o.Args...)}
	if err := a.run(); err != nil {
		if ctx.Err() != nil {
			return 1
		}
		p.Errorf("%v", err)
		var pre *preflightError
		if errors.As(err, &pre) {
			return 2
		}
		return 1
	}
	return 0
}

// admin is one run of kubeadm.
type admin struct {
	ctx  context.Context
	p    *guest.Process
	m    *guest.Machine
	o    option.Set
	args []string
}

func (a *admin) run() error {
	args := a.args
	is := func(words ...string) bool { return len(args) >= len(words) && slices.Equal(args[:len(words)], words) }
	switch {
	case is("version"):
		return a.version()
	case is("config", "images", "list"):
		for _, img := range a.images() {
			a.p.Print(img + "\n")
		}
		return nil
	case is("config", "images", "pull"):
		return a.pull()
	case is("config", "print"), is("config", "validate"), is("config", "migrate"):
		return nil
	}
	if a.p.Cred.UID != 0 {
		return &preflightError{[]string{"[ERROR IsPrivilegedUser]: user is not running as root"}}
	}
	switch {
	case is("init", "phase", "upload-certs"):
		return a.uploadCerts()
	case is("init", "phase"), is("join", "phase"):
		return fmt.Errorf("the simulator's model of kubeadm has no %s", strings.Join(args, " "))
	case is("init"):
		return a.init()
	case is("join"):
		return a.join()
	case is("reset"):
		return a.reset()
	case is("token"):
		return a.token()
	case is("certs", "renew"), is("certs", "check-expiration"):
		_, err := a.cluster()
		if err == nil {
			a.p.Print("certificate embedded in the kubeconfig file for the admin to use renewed (simulated)\n")
		}
		return err
	case is("upgrade"):
		return errors.New("the simulator's model of kubeadm has no upgrade")
	}
	return fmt.Errorf("unknown command %q for \"kubeadm\" (or one the simulator's model does not have)", strings.Join(args, " "))
}

func (a *admin) version() error {
	switch a.o.Value("o") {
	case "short":
		a.p.Printf("v%s\n", a.p.Version)
	case "":
		a.p.Printf("kubeadm version: &version.Info{GitVersion:\"v%s\", Platform:\"linux/%s\"} (simulated)\n", a.p.Version, a.m.Hardware.Arch)
	default:
		return fmt.Errorf("the simulator's model of kubeadm has no output %q", a.o.Value("o"))
	}
	return nil
}

// images are those of a Kubernetes version.
func (a *admin) images() []string {
	v := strings.TrimPrefix(a.o.Or("kubernetes-version", a.p.Version), "v")
	repo := a.o.Or("image-repository", "registry.k8s.io")
	pause, etcd := "3.10.1", "3.6.5-0"
	if strings.HasPrefix(v, "1.33") || strings.HasPrefix(v, "1.34") {
		pause, etcd = "3.10.1", "3.6.4-0"
	}
	var list []string
	for _, n := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"} {
		list = append(list, repo+"/"+n+":v"+v)
	}
	return append(list, repo+"/coredns/coredns:v1.12.1", repo+"/pause:"+pause, repo+"/etcd:"+etcd)
}

func (a *admin) pull() error {
	if rt := service.RuntimeOf(a.p.Kernel); !rt.Running || !rt.CRI {
		return errors.New("failed to create new CRI runtime service: validate service connection: validate CRI v1 runtime API for endpoint \"unix:///run/containerd/containerd.sock\"")
	}
	for _, img := range a.images() {
		if err := service.Pull(a.ctx, a.p, img); err != nil {
			return fmt.Errorf("failed to pull image %q: %w", img, err)
		}
		a.p.Printf("[config/images] Pulled %s\n", img)
	}
	return nil
}

// cluster is the one that /etc/kubernetes/admin.conf leads to.
func (a *admin) cluster() (*Cluster, error) {
	file := a.o.Or("kubeconfig", adminConf)
	if env := a.p.Getenv("KUBECONFIG"); env != "" && !a.o.Has("kubeconfig") {
		file = env
	}
	acc, err := readKubeconfig(a.m.FS, a.p.Cred, file)
	if err != nil {
		return nil, fmt.Errorf("failed to load admin kubeconfig: %w", err)
	}
	c, err := dial(a.ctx, a.m, acc.server, acc.cluster)
	if err != nil {
		return nil, fmt.Errorf("failed to create new bootstrap token client: Get \"https://%s/api\": %w", acc.server, err)
	}
	return c, nil
}

// preflightError is what kubeadm's checks found.
type preflightError struct{ problems []string }

// Error lists them as kubeadm does.
func (e *preflightError) Error() string {
	return "error execution phase preflight: [preflight] Some fatal errors occurred:\n\t" + strings.Join(e.problems, "\n\t") +
		"\n[preflight] If you know what you are doing, you can make a check non-fatal with `--ignore-preflight-errors=...`"
}

// preflight runs the checks of init or join.
func (a *admin) preflight(controlPlane, first bool) error {
	a.p.Print("[preflight] Running pre-flight checks\n")
	var problems []string
	ignored := strings.Split(strings.ToLower(strings.Join(a.o.Values("ignore-preflight-errors"), ",")), ",")
	check := func(name, problem string, bad bool) {
		if !bad {
			return
		}
		if slices.Contains(ignored, strings.ToLower(name)) || slices.Contains(ignored, "all") {
			a.p.Errorf("\t[WARNING %s]: %s", name, problem)
			return
		}
		problems = append(problems, fmt.Sprintf("[ERROR %s]: %s", name, problem))
	}
	fs, root := a.m.FS, vfs.Root()
	exists := func(file string) bool { _, err := fs.Stat(root, file); return err == nil }
	k := a.p.Kernel
	if controlPlane {
		check("NumCPU", fmt.Sprintf("the number of available CPUs %d is less than the required 2", a.m.Hardware.CPUs), a.m.Hardware.CPUs < 2)
		check("Mem", fmt.Sprintf("the system RAM (%d MB) is less than the minimum 1700 MB", a.m.Hardware.Memory>>20), a.m.Hardware.Memory < 1700<<20)
		check("Port-6443", "Port 6443 is in use", k.Listener(6443) != nil)
		check("FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml", manifests+"/kube-apiserver.yaml already exists", exists(manifests+"/kube-apiserver.yaml"))
		check("DirAvailable--var-lib-etcd", "/var/lib/etcd is not empty", exists(etcdFile))
	}
	if !first {
		check("FileAvailable--etc-kubernetes-kubelet.conf", kubeletCfg+" already exists", exists(kubeletCfg))
		check("FileAvailable--etc-kubernetes-pki-ca.crt", pkiDir+"/ca.crt already exists", exists(pkiDir+"/ca.crt"))
	}
	check("Port-10250", "Port 10250 is in use", k.Listener(10250) != nil)
	rt := service.RuntimeOf(k)
	check("CRI", "could not connect to the container runtime: failed to create new CRI runtime service: validate service connection: validate CRI v1 runtime API for endpoint "+
		"\"unix:///run/containerd/containerd.sock\": rpc error: code = Unimplemented desc = unknown service runtime.v1.RuntimeService", !rt.Running || !rt.CRI)
	forward, _ := k.Sysctl("net.ipv4.ip_forward")
	check("FileContent--proc-sys-net-ipv4-ip_forward", "/proc/sys/net/ipv4/ip_forward contents are not set to 1", forward != "1")
	bridge, there := k.Sysctl("net.bridge.bridge-nf-call-iptables")
	if strings.HasPrefix(a.p.Version, "1.2") { // since 1.30 left to the network plugin
		check("FileContent--proc-sys-net-bridge-bridge-nf-call-iptables", "/proc/sys/net/bridge/bridge-nf-call-iptables does not exist", !there || bridge != "1")
	}
	for _, program := range []string{"conntrack", "iptables", "mount", "ip"} {
		_, found := a.p.LookIn(guest.DefaultPath, program)
		check("FileExisting-"+program, program+" not found in system path", !found)
	}
	_, found := a.p.LookIn(guest.DefaultPath, "kubelet")
	check("KubeletVersion", "couldn't get kubelet version: cannot execute 'kubelet --version': executable file not found in $PATH", !found)
	if len(k.Swaps()) > 0 {
		a.p.Errorf("\t[WARNING Swap]: swap is supported for cgroup v2 only. The kubelet must be properly configured to use swap. Please refer to https://kubernetes.io/docs/concepts/architecture/nodes/#swap-memory, or disable swap on the node")
	}
	if systemd.Enabled(a.m, "kubelet.service") != "enabled" {
		a.p.Errorf("\t[WARNING Service-kubelet]: kubelet service is not enabled, please run 'systemctl enable kubelet.service'")
	}
	if _, ok := a.m.Resolve(a.ctx, a.m.Hostname()); !ok {
		a.p.Errorf("\t[WARNING Hostname]: hostname \"%s\" could not be reached", a.m.Hostname())
	}
	if len(problems) > 0 {
		return &preflightError{problems}
	}
	return nil
}

// startKubelet writes the kubelet's configuration and starts it.
func (a *admin) startKubelet(config, extra string) error {
	fs, root := a.m.FS, vfs.Root()
	err := errors.Join(
		fs.MkdirAll(root, "/var/lib/kubelet", 0o755),
		fs.WriteFile(root, "/var/lib/kubelet/config.yaml", config, 0o644),
		fs.WriteFile(root, "/var/lib/kubelet/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///run/containerd/containerd.sock"+extra+"\"\n", 0o644),
	)
	if err != nil {
		return err
	}
	a.p.Print("[kubelet-start] Starting the kubelet\n")
	sd := systemd.Of(a.p.Kernel)
	sd.Restart(a.ctx, "kubelet.service") //nolint:errcheck // seen below
	// kubeadm asks the kubelet's health port for minutes; here it is there at once or never.
	for range 500 {
		if sd.IsActive("kubelet") && a.p.Kernel.Listener(10248) != nil {
			return nil
		}
		if pause(a.ctx) != nil {
			return a.ctx.Err()
		}
		if state := sd.Active("kubelet.service"); state != "active" {
			break
		}
	}
	return errors.New("[kubelet-check] The kubelet is not healthy after 4m0s\n\nUnfortunately, an error has occurred, likely caused by:\n\t- The kubelet is not running\n" +
		"\t- The kubelet is unhealthy due to a misconfiguration of the node in some way (required cgroups disabled)\n\nerror execution phase wait-control-plane: failed while waiting for the kubelet to start: " +
		"The HTTP call equal to 'curl -sSL http://127.0.0.1:10248/healthz' returned error: connection refused")
}

// token creates, lists and deletes bootstrap tokens.
func (a *admin) token() error {
	if len(a.args) < 2 {
		return errors.New("missing subcommand; \"token\" is not meant to be run on its own")
	}
	if a.args[1] == "generate" {
		id, secret := newToken()
		a.p.Print(id + "." + secret + "\n")
		return nil
	}
	c, err := a.cluster()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := a.p.Kernel.Clock()
	switch a.args[1] {
	case "create":
		id, secret := newToken()
		if len(a.args) > 2 {
			var ok bool
			if id, secret, ok = strings.Cut(a.args[2], "."); !ok || len(id) != 6 || len(secret) != 16 {
				return fmt.Errorf("the bootstrap token %q was not of the form \"[a-z0-9]{6}\\\\.[a-z0-9]{16}\"", a.args[2])
			}
		}
		ttl, err := time.ParseDuration(a.o.Or("ttl", "24h"))
		if err != nil {
			return fmt.Errorf("invalid argument %q for \"--ttl\" flag: %w", a.o.Value("ttl"), err)
		}
		t := &token{Secret: secret, About: a.o.Value("description"), Expires: now.Add(ttl)}
		if ttl == 0 {
			t.Expires = time.Time{}
		}
		for old, o := range c.Tokens { // the token cleaner's work
			if !o.Expires.IsZero() && now.After(o.Expires) {
				delete(c.Tokens, old)
			}
		}
		c.Tokens[id] = t
		c.changed()
		if a.o.Has("print-join-command") {
			a.p.Printf("kubeadm join %s --token %s.%s --discovery-token-ca-cert-hash %s \n", c.endpoint(), id, secret, c.CAHash)
			return nil
		}
		a.p.Print(id + "." + secret + "\n")
	case "list":
		a.p.Print("TOKEN                     TTL         EXPIRES                USAGES                   DESCRIPTION\n")
		for id, t := range c.Tokens {
			a.p.Printf("%s.%s   %s   %s   authentication,signing   %s\n", id, t.Secret, t.Expires.Sub(now).Round(time.Second), t.Expires.UTC().Format(time.RFC3339), t.About)
		}
	case "delete":
		for _, t := range a.args[2:] {
			id, _, _ := strings.Cut(t, ".")
			if c.Tokens[id] == nil {
				return fmt.Errorf("failed to delete bootstrap token %q: secrets \"bootstrap-token-%s\" not found", id, id)
			}
			delete(c.Tokens, id)
			c.changed()
			a.p.Printf("bootstrap token %q deleted\n", id)
		}
	default:
		return fmt.Errorf("unknown command %q for \"kubeadm token\"", a.args[1])
	}
	return nil
}

// endpoint is the address that nodes reach the API by; the lock must be held.
func (c *Cluster) endpoint() string {
	if cfg := c.Objects["ConfigMap/kube-system/kubeadm-config"]; cfg != nil {
		if e, ok := cfg["endpoint"].(string); ok {
			return e
		}
	}
	for _, address := range c.Members {
		return address + ":6443"
	}
	return ""
}

// reset undoes init or join on this node.
func (a *admin) reset() error {
	if !a.o.Has("force") && !a.p.TTY() {
		return errors.New("error execution phase preflight: aborted reset operation")
	}
	fs, root := a.m.FS, vfs.Root()
	if serves(a.p.Kernel) {
		if acc, err := readKubeconfig(fs, root, adminConf); err == nil {
			if c, err := dial(a.ctx, a.m, acc.server, acc.cluster); err == nil {
				c.mu.Lock()
				if len(c.Members) > 1 {
					delete(c.Members, nodeName(a.m))
					c.changed()
				}
				c.mu.Unlock()
			}
		}
	}
	systemd.Of(a.p.Kernel).Stop(a.ctx, "kubelet.service") //nolint:errcheck // it may not run
	leave(a.p.Kernel, false)
	for _, dir := range []string{manifests, "/etc/kubernetes/pki", etcdDir, "/var/lib/kubelet"} {
		if err := fs.RemoveAll(root, dir); err != nil {
			return err
		}
	}
	for _, f := range []string{"admin.conf", "super-admin.conf", "kubelet.conf", "bootstrap-kubelet.conf", "controller-manager.conf", "scheduler.conf"} {
		fs.Remove(root, "/etc/kubernetes/"+f) //nolint:errcheck // it may not be there
	}
	a.p.Print("[reset] Deleting contents of directories (simulated)\nThe reset process does not perform cleanup of CNI plugin configuration,\nnetwork filtering rules and kubeconfig files.\n")
	return nil
}
