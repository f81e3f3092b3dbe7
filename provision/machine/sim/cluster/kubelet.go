package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

const (
	kubeletDir    = "/var/lib/kubelet"
	kubeletConf   = kubeletDir + "/config.yaml"
	kubeletKeys   = kubeletDir + "/pki/kubelet-client-current.pem"
	kubeletConfig = "/etc/kubernetes/kubelet.conf"
	bootstrapConf = "/etc/kubernetes/bootstrap-kubelet.conf"
	healthPort    = 10248
	kubeletPort   = 10250
	natAddress    = "10.0.2.15" // of the card with the default route, the same on every node
)

// kubelet is a kubelet that runs.
type kubelet struct {
	kernel  *guest.Kernel
	state   *kubeletState
	name    string
	address string
	version string
	conf    string // its kubeconfig
	boot    string // its bootstrap kubeconfig
	log     func(level, format string, args ...any)
	podCIDR string

	endpoint string // of its container runtime
}

// runtime is the kubelet's container runtime as it is now.
func (k *kubelet) runtime() runtime { return runtimesOf(k.kernel).at(k.endpoint) }

// kubeletState is what outlives a kubelet's restart: the containers, which run on without it.
type kubeletState struct {
	mu       sync.Mutex
	failures int    // starts that failed
	failure  string // of the last one
	pods     map[key]*podRun
	api      *apiServer
	stopAPI  func()
	next     int // last byte of the next pod's address

	session atomic.Pointer[session] // with the API server that the kubelet reports to; nil while there is none
}

type kubeletKey struct{}

func kubeletStateOf(k *guest.Kernel) *kubeletState {
	return guest.Value(k, kubeletKey{}, func() *kubeletState { return &kubeletState{pods: map[key]*podRun{}, next: 2} })
}

// server is the machine's API server, nil if it runs none.
func (s *kubeletState) server() *apiServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.api != nil && s.api.live() {
		return s.api
	}
	return nil
}

// runKubelet is the program kubelet.
func runKubelet(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "bootstrap-kubeconfig: kubeconfig: config: node-ip: hostname-override: container-runtime-endpoint: pod-infra-container-image: "+
		"fail-swap-on? version? v:", option.GNU)
	if !ok {
		return 1
	}
	v := version(p, "1.36.3")
	if o.Has("version") {
		p.Printf("Kubernetes v%s\n", v)
		return 0
	}
	state := kubeletStateOf(p.Kernel)
	k := &kubelet{kernel: p.Kernel, state: state, version: "v" + v, conf: o.Value("kubeconfig"), boot: o.Value("bootstrap-kubeconfig")}
	k.log = func(level, format string, args ...any) {
		now := p.Kernel.Clock().UTC()
		p.Errorf("%s%s %7d kubelet.go:1] %s", level, now.Format("0102 15:04:05.000000"), p.PID, fmt.Sprintf(format, args...))
	}
	if err := k.check(p, o); err != nil {
		k.log("E", `"command failed" err=%q`, err)
		state.mu.Lock()
		state.failures++
		state.failure = err.Error()
		state.mu.Unlock()
		return 1
	}
	return k.serve(ctx, p)
}

// check does what a kubelet does before it serves.
func (k *kubelet) check(p *guest.Process, o option.Set) error {
	if p.Cred.UID != 0 {
		return errors.New("failed to run Kubelet: must be run as root")
	}
	config := object{}
	if file := o.Value("config"); file != "" {
		content, err := p.FS().ReadFile(p.Cred, file)
		if err != nil {
			return fmt.Errorf("failed to load kubelet config file, path: %s, error: failed to load Kubelet config file %s, error failed to read kubelet config file %q, error: open %s: %s",
				file, file, file, file, strings.ToLower(guest.Reason(err)))
		}
		if err := yaml.Unmarshal([]byte(content), &config); err != nil || text(config, "kind") != "KubeletConfiguration" {
			return fmt.Errorf("failed to load kubelet config file, path: %s, error: failed to decode", file)
		}
	}
	if swaps := k.kernel.Swaps(); len(swaps) > 0 && text(config, "failSwapOn") != "false" && o.Value("fail-swap-on") != "false" {
		var list []string
		for _, s := range swaps {
			list = append(list, fmt.Sprintf(`%s\t\t\t\tfile\t\t%d\t\t0\t\t-2`, s.Path, s.Size>>10))
		}
		return fmt.Errorf("failed to run Kubelet: running with swap on is not supported, please disable swap or set --fail-swap-on flag to false. /proc/swaps contained: [Filename\\t\\t\\t\\tType\\t\\tSize\\t\\tUsed\\t\\tPriority %s]",
			strings.Join(list, " "))
	}
	endpoint := o.Or("container-runtime-endpoint", text(config, "containerRuntimeEndpoint"))
	if endpoint == "" {
		return errors.New("failed to run Kubelet: the container runtime endpoint address was not specified or empty, use --container-runtime-endpoint to set")
	}
	if err := runtimesOf(k.kernel).available(endpoint); err != nil {
		return fmt.Errorf("failed to run Kubelet: %w", err)
	}
	if driver := text(config, "cgroupDriver"); (driver == "systemd" || driver == "") != runtimesOf(k.kernel).at(endpoint).systemdCgroup && text(config, "kind") != "" {
		have := map[bool]string{true: "systemd", false: "cgroupfs"}[runtimesOf(k.kernel).at(endpoint).systemdCgroup]
		if driver == "" {
			driver = "systemd"
		}
		return fmt.Errorf("failed to run Kubelet: misconfiguration: kubelet cgroup driver: %q is different from the container runtime's: %q", driver, have)
	}
	k.endpoint = endpoint
	_, noConf := p.FS().Stat(p.Cred, k.conf)
	if _, err := p.FS().Stat(p.Cred, k.boot); noConf != nil && err != nil {
		return fmt.Errorf("failed to run Kubelet: unable to load bootstrap kubeconfig: stat %s: no such file or directory", k.boot)
	}
	k.name = strings.ToLower(o.Or("hostname-override", p.Machine().Hostname()))
	switch k.address = o.Or("node-ip", natAddress); k.address {
	case natAddress, p.Machine().Hardware.Address:
	default:
		return fmt.Errorf("failed to run Kubelet: failed to validate nodeIP: node IP: %q not found in the host's network interfaces", k.address)
	}
	return nil
}

// serve runs the static pods and reports to the cluster until it is stopped.
func (k *kubelet) serve(ctx context.Context, p *guest.Process) int {
	if err := k.serverCertificate(); err != nil {
		k.log("E", `"Failed to make a certificate" err=%q`, err)
		return 1
	}
	healthy := func(context.Context, guest.Request) guest.Response { return guest.Response{Code: 200, Body: "ok"} }
	for port, serve := range map[int]guest.HandlerFunc{healthPort: healthy, kubeletPort: k.metrics} {
		stop, err := p.Kernel.Listen(port, serve)
		if err != nil {
			k.log("E", `"Failed to listen and serve" err=%q`, err)
			return 1
		}
		defer stop()
	}
	p.Ready()
	retry := time.NewTimer(0)
	defer retry.Stop()
	said := ""
	for ctx.Err() == nil {
		k.staticPods()
		s, err := k.register(ctx)
		if err != nil {
			if err.Error() != said {
				said = err.Error()
				k.log("E", `"Unable to register node with API server" err=%q node=%q`, err, k.name)
			}
			retry.Reset(250 * time.Millisecond)
			select {
			case <-ctx.Done():
			case <-retry.C:
			}
			continue
		}
		said = ""
		k.log("I", `"Successfully registered node" node=%q`, k.name)
		k.state.session.Store(s)
		k.watch(ctx, s)
		k.state.session.Store(nil)
		s.mu.Lock()
		if s.kubelets[k.name] == k {
			delete(s.kubelets, k.name)
			s.touch()
		}
		s.mu.Unlock()
	}
	return 0
}

// watch stays until the API server has gone or the kubelet ends. On a control plane it looks after the static pods too.
func (k *kubelet) watch(ctx context.Context, s *session) {
	var look <-chan time.Time
	if k.state.server() != nil {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		look = t.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.api.done:
			return
		case <-look:
			k.staticPods()
		}
	}
}

// staticPods starts and stops the control plane as its manifests come and go.
func (k *kubelet) staticPods() {
	manifest, err := k.kernel.Machine.FS.ReadFile(vfs.Root(), manifestDir+"/kube-apiserver.yaml")
	wanted, runs := err == nil, k.state.server() != nil
	if wanted && runs && k.state.server().version != imageTag(manifest) {
		k.state.stopControlPlane()
		runs = false
	}
	switch {
	case wanted && !runs && k.runtime().running:
		api, stop, err := startAPIServer(k.kernel, k.name)
		if err != nil {
			k.log("E", `"Error syncing pod, skipping" err=%q pod="kube-system/kube-apiserver-%s"`, err, k.name)
			return
		}
		k.state.mu.Lock()
		k.state.api, k.state.stopAPI = api, stop
		k.state.mu.Unlock()
	case !wanted && runs:
		k.state.stopControlPlane()
	}
}

// stopControlPlane ends the static pods and returns when they have gone.
func (s *kubeletState) stopControlPlane() {
	s.mu.Lock()
	stop := s.stopAPI
	s.api, s.stopAPI = nil, nil
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// register announces the node to the cluster, with a certificate of its own that it gets by the bootstrap token first.
func (k *kubelet) register(ctx context.Context) (*session, error) {
	fs, root := k.kernel.Machine.FS, vfs.Root()
	if _, err := fs.Stat(root, k.conf); err != nil {
		if err := k.bootstrap(ctx); err != nil {
			return nil, err
		}
	}
	conf, err := readKubeconfig(fs, root, k.conf, "")
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, k.kernel, conf)
	if err != nil {
		return nil, err
	}
	if s.user != "system:node:"+k.name && !s.admin() {
		return nil, fmt.Errorf(`nodes %q is forbidden: User %q cannot create resource "nodes" in API group "" at the cluster scope: node %q is not allowed to modify node %q`,
			k.name, s.user, strings.TrimPrefix(s.user, "system:node:"), k.name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.registerNode(k); err != nil {
		return nil, err
	}
	s.kubelets[k.name] = k
	k.sync(s.store)
	s.touch()
	return s, nil
}

// bootstrap gets the kubelet's certificate and writes its kubeconfig.
func (k *kubelet) bootstrap(ctx context.Context) error {
	fs, root := k.kernel.Machine.FS, vfs.Root()
	conf, err := readKubeconfig(fs, root, k.boot, "")
	if err != nil {
		return err
	}
	s, err := connect(ctx, k.kernel, conf)
	if err != nil {
		return fmt.Errorf("failed to run Kubelet: cannot create certificate signing request: %w", err)
	}
	c, err := s.api.sign(k.name)
	if err != nil {
		return err
	}
	private, err := c.keyPEM()
	if err != nil {
		return err
	}
	return errors.Join(
		fs.MkdirAll(root, kubeletDir+"/pki", 0o755),
		fs.WriteFile(root, kubeletKeys, c.certPEM()+private, 0o600),
		fs.WriteFile(root, k.conf, kubeconfigText("default-cluster", conf.server, "default-auth", pair{cert: conf.ca},
			object{"client-certificate": kubeletKeys, "client-key": kubeletKeys}), 0o600),
	)
}
