package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"podium/provision/machine/sim/option"
)

// installation is one kubeadm init or join at work.
type installation struct {
	*adminCall
	conf     kubeadmConfig
	node     nodeRegistration
	name     string
	address  string // that the API server of this node advertises
	endpoint string // host:port by which all reach the API
	version  string // of Kubernetes
	timeouts timeouts
	ca       pair
}

const initFlags = "config: skip-token-print ignore-preflight-errors: apiserver-advertise-address: apiserver-cert-extra-sans: pod-network-cidr: service-cidr: " +
	"control-plane-endpoint: kubernetes-version: node-name: token: token-ttl: upload-certs certificate-key: cri-socket: image-repository: skip-phases: dry-run"

// init makes a cluster.
func (a *adminCall) init(args []string) int {
	o, ok := a.options("init", args, initFlags)
	if !ok {
		return 1
	}
	if len(o.Args) > 0 {
		return a.fail(fmt.Errorf("unknown command %q for \"kubeadm init\"", o.Args[0]))
	}
	if o.Has("dry-run") || o.Has("skip-phases") {
		return a.fail(fmt.Errorf("the simulator's model of kubeadm init does not have --dry-run and --skip-phases"))
	}
	in, err := a.newInit(o)
	if err != nil {
		return a.fail(err)
	}
	a.p.Printf("[init] Using Kubernetes version: %s (simulated)\n[preflight] Running pre-flight checks\n", in.version)
	f := &preflight{a: a, ignore: slices.Concat(in.node.Ignore, commas(o.Values("ignore-preflight-errors")))}
	f.host(in.node.CRISocket)
	f.controlPlane(in.version, in.conf.cluster)
	if err := f.finish(); err != nil {
		return a.phaseFailed("preflight", err)
	}
	if code := a.pullImages(in.node.CRISocket, in.conf.cluster.ImageRepository, in.version); code != 0 {
		return code
	}
	if phase, err := in.run(o); err != nil {
		return a.phaseFailed(phase, err)
	}
	return 0
}

// commas splits values with commas in them.
func commas(values []string) []string {
	var list []string
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if part != "" {
				list = append(list, part)
			}
		}
	}
	return list
}

// newInit makes out of file and flags what init will do.
func (a *adminCall) newInit(o option.Set) (*installation, error) {
	in := &installation{adminCall: a}
	in.conf.init = &initConfig{}
	if file := o.Value("config"); file != "" {
		for _, flag := range []string{"apiserver-advertise-address", "pod-network-cidr", "service-cidr", "control-plane-endpoint", "kubernetes-version", "token", "image-repository"} {
			if o.Has(flag) {
				return nil, fmt.Errorf("can not mix '--config' with arguments [%s]", flag)
			}
		}
		c, err := a.readConfig(file)
		if err != nil {
			return nil, err
		}
		if c.init == nil {
			c.init = &initConfig{}
		}
		in.conf = c
	}
	c, i := &in.conf.cluster, in.conf.init
	c.Networking.PodSubnet = o.Or("pod-network-cidr", c.Networking.PodSubnet)
	c.Networking.ServiceSubnet = o.Or("service-cidr", c.Networking.ServiceSubnet)
	if c.Networking.ServiceSubnet == "" {
		c.Networking.ServiceSubnet = "10.96.0.0/12"
	}
	if c.ClusterName == "" {
		c.ClusterName = "kubernetes"
	}
	c.ImageRepository = o.Or("image-repository", c.ImageRepository)
	c.APIServer.CertSANs = append(c.APIServer.CertSANs, commas(o.Values("apiserver-cert-extra-sans"))...)
	in.node = i.Node
	in.node.CRISocket = o.Or("cri-socket", in.node.CRISocket)
	if in.node.CRISocket == "" {
		in.node.CRISocket = defaultSocket
	}
	in.name = strings.ToLower(o.Or("node-name", in.node.Name))
	if in.name == "" {
		in.name = strings.ToLower(a.p.Machine().Hostname())
	}
	in.address = o.Or("apiserver-advertise-address", i.Endpoint.Address)
	if in.address == "" {
		in.address = natAddress // the address of the card with the default route
	}
	if in.address != natAddress && in.address != a.p.Machine().Hardware.Address {
		return nil, fmt.Errorf("couldn't use %q as the advertise address: it is not an address of this node", in.address)
	}
	c.ControlPlaneEndpoint = o.Or("control-plane-endpoint", c.ControlPlaneEndpoint)
	in.endpoint = c.ControlPlaneEndpoint
	if in.endpoint == "" {
		in.endpoint = in.address
	}
	if !strings.Contains(in.endpoint, ":") {
		in.endpoint += fmt.Sprintf(":%d", apiPort)
	}
	in.version = o.Or("kubernetes-version", c.KubernetesVersion)
	if in.version == "" {
		in.version = a.version
	}
	if !strings.HasPrefix(in.version, "v") && in.version[0] >= '0' && in.version[0] <= '9' {
		in.version = "v" + in.version
	}
	in.timeouts = i.Timeouts
	return in, a.checkVersion(in.version)
}

// run does the phases of init; an error comes with the name of its phase.
func (in *installation) run(o option.Set) (phase string, err error) {
	if err := in.makeCerts(); err != nil {
		return "certs", err
	}
	if err := in.makeKubeconfigs(true); err != nil {
		return "kubeconfig", err
	}
	c := in.conf.cluster
	pods := c.Networking.PodSubnet
	for _, arg := range c.ControllerManager.ExtraArgs {
		if arg.Name == "allocate-node-cidrs" && arg.Value == "false" {
			pods = ""
		}
	}
	if e, external := c.external(); external {
		err = in.adopt(e, pods)
	} else {
		in.say("[etcd] Creating static Pod manifest for local etcd in %q", manifestDir)
		err = createStore(in.p.Machine(), in.name, etcdHeader{CIDR: pods, Service: c.Networking.ServiceSubnet})
	}
	if err != nil {
		return "etcd/local", err
	}
	if err := in.writeManifests(); err != nil {
		return "control-plane", err
	}
	if err := in.writeKubelet(); err != nil {
		return "kubelet-start", err
	}
	if in.p.Midway() != nil { // a cut-off here leaves the files and no cluster
		return "wait-control-plane", in.ctx.Err()
	}
	if err := in.startKubelet(); err != nil {
		return "wait-control-plane", err
	}
	api, err := in.waitAPI()
	if err != nil {
		return "wait-control-plane", err
	}
	s := api.store
	if err := in.waitNode(s); err != nil {
		return "upload-config/kubelet", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := in.uploadConfig(s); err != nil {
		return "upload-config", err
	}
	certificateKey := ""
	if o.Has("upload-certs") || in.conf.init.CertificateKey != "" {
		if certificateKey, err = in.uploadCerts(s, o.Or("certificate-key", in.conf.init.CertificateKey)); err != nil {
			return "upload-certs", err
		}
	}
	if err := in.markControlPlane(s); err != nil {
		return "mark-control-plane", err
	}
	token, err := in.firstTokens(s, o)
	if err != nil {
		return "bootstrap-token", err
	}
	if err := in.addons(s); err != nil {
		return "addon", err
	}
	if err := s.controllers(in.now()); err != nil {
		return "addon", err
	}
	in.welcome(o, token, certificateKey)
	return "", nil
}

// adopt has an external etcd keep the cluster.
func (in *installation) adopt(e externalEtcd, pods string) error {
	s, err := e.reach(in.ctx, in.p.Machine())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head.CIDR, s.head.Service, s.head.NextCIDR = pods, in.conf.cluster.Networking.ServiceSubnet, 0
	s.head.Revision++
	for _, m := range s.live {
		if err := s.writeHead(m); err != nil {
			return err
		}
	}
	return nil
}

func (in *installation) say(format string, args ...any) { in.p.Printf(format+"\n", args...) }

func (a *adminCall) now() time.Time { return a.p.Kernel.Clock() }

// firstTokens makes the tokens of the configuration, or one.
func (in *installation) firstTokens(s *store, o option.Set) (string, error) {
	tokens := in.conf.init.BootstrapTokens
	if len(tokens) == 0 {
		tokens = []bootstrapToken{{Token: o.Value("token"), TTL: o.Value("token-ttl")}}
	}
	first := ""
	for _, t := range tokens {
		ttl := 24 * time.Hour
		if t.TTL != "" {
			var err error
			if ttl, err = time.ParseDuration(t.TTL); err != nil {
				return "", fmt.Errorf("invalid ttl %q", t.TTL)
			}
		}
		token, err := in.createToken(s, t.Token, ttl, "The default bootstrap token generated by 'kubeadm init'.")
		if err != nil {
			return "", err
		}
		if first == "" {
			first = token
		}
	}
	in.say("[bootstrap-token] Using token: %s", map[bool]string{true: "(hidden)", false: first}[o.Has("skip-token-print")])
	return first, nil
}

func (in *installation) welcome(o option.Set, token, certificateKey string) {
	in.say("\nYour Kubernetes control-plane has initialized successfully! (simulated)\n\nTo start using your cluster, you need to run the following as a regular user:\n\n" +
		"  mkdir -p $HOME/.kube\n  sudo cp -i /etc/kubernetes/admin.conf $HOME/.kube/config\n  sudo chown $(id -u):$(id -g) $HOME/.kube/config\n\n" +
		"Alternatively, if you are the root user, you can run:\n\n  export KUBECONFIG=/etc/kubernetes/admin.conf\n\nYou should now deploy a pod network to the cluster.\n")
	if o.Has("skip-token-print") {
		return
	}
	join := fmt.Sprintf("kubeadm join %s --token %s \\\n\t--discovery-token-ca-cert-hash %s", in.endpoint, token, pin(in.ca.cert))
	if certificateKey != "" {
		in.say("You can now join any number of control-plane nodes running the following command on each as root:\n\n  %s \\\n\t--control-plane --certificate-key %s\n", join, certificateKey)
	}
	in.say("Then you can join any number of worker nodes by running the following on each as root:\n\n%s", join)
}
