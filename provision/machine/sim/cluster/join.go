package cluster

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

const joinFlags = "config: token: discovery-token: discovery-token-ca-cert-hash: discovery-token-unsafe-skip-ca-verification control-plane certificate-key: " +
	"apiserver-advertise-address: node-name: cri-socket: ignore-preflight-errors:"

// join adds this node to a cluster.
func (a *adminCall) join(args []string) int {
	o, ok := a.options("join", args, joinFlags)
	if !ok {
		return 1
	}
	j, err := a.joinConfig(o)
	if err != nil {
		return a.fail(err)
	}
	in := &installation{adminCall: a, node: j.Node, timeouts: j.Timeouts, name: strings.ToLower(j.Node.Name)}
	if in.name == "" {
		in.name = strings.ToLower(a.p.Machine().Hostname())
	}
	if in.node.CRISocket == "" {
		in.node.CRISocket = defaultSocket
	}
	in.say("[preflight] Running pre-flight checks (simulated)")
	f := &preflight{a: a, ignore: slices.Concat(j.Node.Ignore, commas(o.Values("ignore-preflight-errors")))}
	f.host(in.node.CRISocket)
	for _, file := range []string{kubeletConfig, bootstrapConf, pkiDir + "/ca.crt"} {
		f.absent(file)
	}
	if j.ControlPlane != nil {
		in.address = j.ControlPlane.Endpoint.Address
		if in.address == "" {
			in.address = natAddress
		}
		f.controlPlane(a.version, clusterConfig{})
	} else {
		f.kubeletVersion(a.version)
	}
	if err := f.finish(); err != nil {
		return a.phaseFailed("preflight", err)
	}
	api, err := in.discover(j.Discovery)
	if err != nil {
		return a.phaseFailed("preflight", err)
	}
	if phase, err := in.runJoin(api, j); err != nil {
		return a.phaseFailed(phase, err)
	}
	if j.ControlPlane != nil {
		in.say("\nThis node has joined the cluster and a new control plane instance was created (simulated).")
	} else {
		in.say("\nThis node has joined the cluster (simulated):\n* Certificate signing request was sent to apiserver and a response was received.\n" +
			"* The Kubelet was informed of the new secure connection details.\n\nRun 'kubectl get nodes' on the control-plane to see this node join the cluster.\n")
	}
	return 0
}

// joinConfig makes the configuration out of file or flags.
func (a *adminCall) joinConfig(o option.Set) (*joinConfig, error) {
	if file := o.Value("config"); file != "" {
		for _, flag := range []string{"token", "discovery-token-ca-cert-hash", "control-plane", "certificate-key"} {
			if o.Has(flag) {
				return nil, fmt.Errorf("can not mix '--config' with arguments [%s]", flag)
			}
		}
		c, err := a.readConfig(file)
		if err != nil {
			return nil, err
		}
		if c.join == nil {
			return nil, errors.New("no JoinConfiguration found in config file \"" + file + "\"")
		}
		return c.join, c.join.check()
	}
	j := &joinConfig{Node: nodeRegistration{Name: o.Value("node-name"), CRISocket: o.Value("cri-socket")}}
	j.Discovery.BootstrapToken = &tokenDiscovery{
		Token: o.Or("token", o.Value("discovery-token")), Hashes: o.Values("discovery-token-ca-cert-hash"), Unsafe: o.Has("discovery-token-unsafe-skip-ca-verification")}
	if len(o.Args) > 0 {
		j.Discovery.BootstrapToken.Endpoint = o.Args[0]
	}
	if o.Has("control-plane") {
		j.ControlPlane = &joinControl{CertificateKey: o.Value("certificate-key"), Endpoint: endpoint{Address: o.Value("apiserver-advertise-address")}}
	}
	return j, j.check()
}

func (j *joinConfig) check() error {
	d := j.Discovery.BootstrapToken
	switch {
	case j.Discovery.File != nil:
		return errors.New("the simulator's model of kubeadm join does not have discovery.file")
	case d == nil || d.Token == "" && d.Endpoint == "":
		return errors.New("discovery: Invalid value: \"\": bootstrapToken or file must be set")
	case tokenForm.FindString(d.Token) == "":
		return fmt.Errorf("discovery.bootstrapToken.token: Invalid value: %q: the bootstrap token is invalid", d.Token)
	case len(d.Hashes) == 0 && !d.Unsafe:
		return errors.New("discovery.bootstrapToken: Invalid value: \"\": using token-based discovery without caCertHashes can be unsafe. Set unsafeSkipCAVerification as true in your kubeadm config file or pass --discovery-token-unsafe-skip-ca-verification flag to continue")
	case d.Endpoint == "":
		return errors.New("discovery.bootstrapToken.apiServerEndpoint: Invalid value: \"\": apiServerEndpoint is required")
	}
	for _, h := range d.Hashes {
		if !strings.HasPrefix(h, "sha256:") || len(h) != len("sha256:")+64 {
			return fmt.Errorf("discovery.bootstrapToken.caCertHashes: Invalid value: %q: invalid hash, expected \"format:hex-value\"", h)
		}
	}
	return nil
}

// discover finds the cluster and makes sure that it is the right one.
func (in *installation) discover(d discovery) (*apiServer, error) {
	b := d.BootstrapToken
	where := b.Endpoint
	if !strings.Contains(where, ":") {
		where += fmt.Sprintf(":%d", apiPort)
	}
	api, err := dial(in.ctx, in.p.Machine(), "https://"+where)
	if err != nil {
		return nil, fmt.Errorf("couldn't validate the identity of the API Server: failed to request the cluster-info ConfigMap: Get \"https://%s/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s\": %w", where, err)
	}
	id, secret, _ := strings.Cut(b.Token, ".")
	api.store.mu.Lock()
	quorum := api.store.quorum()
	info := api.store.get(key{"configmaps", kubePublic, "cluster-info"})
	token := api.store.get(key{"secrets", kubeSystem, tokenSecret + id})
	config := api.store.get(key{"configmaps", kubeSystem, "kubeadm-config"})
	kubelet := api.store.get(key{"configmaps", kubeSystem, "kubelet-config"})
	node := api.store.get(key{"nodes", "", in.name})
	ready, _, _ := api.store.readiness(in.name)
	api.store.mu.Unlock()
	const invalid = "couldn't validate the identity of the API Server: "
	switch {
	case !quorum || info == nil || config == nil:
		return nil, fmt.Errorf(invalid + "failed to request the cluster-info ConfigMap: configmaps \"cluster-info\" not found")
	case token == nil || api.expired(token):
		return nil, fmt.Errorf(invalid+"could not find a JWS signature in the cluster-info ConfigMap for token ID %q", id)
	case text(token, "stringData", "token-secret") != secret:
		return nil, fmt.Errorf(invalid + "failed to verify JWS signature of received cluster info object, can't trust this API Server")
	}
	var doc object
	if err := yaml.Unmarshal([]byte(text(info, "data", "kubeconfig")), &doc); err != nil {
		return nil, fmt.Errorf(invalid+"couldn't parse the kubeconfig file in the cluster-info ConfigMap: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(text(at(named(doc, "clusters", ""), "cluster"), "certificate-authority-data"))
	if err == nil {
		in.ca.cert, err = readCert(string(raw))
	}
	if err != nil {
		return nil, fmt.Errorf(invalid+"%w", err)
	}
	if !b.Unsafe && !slices.Contains(b.Hashes, pin(in.ca.cert)) {
		return nil, fmt.Errorf(invalid+"cluster CA found in cluster-info ConfigMap is invalid: none of the public keys %q are pinned", pin(in.ca.cert))
	}
	if err := verify(api.cert.Load().cert, in.ca.cert, in.now()); err != nil {
		return nil, fmt.Errorf(invalid+"Get \"https://%s/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s\": %w", where, err)
	}
	if node != nil && ready == "True" {
		return nil, fmt.Errorf("a Node with name %q and status \"Ready\" already exists in the cluster. You must delete the existing Node or change the name of this new joining Node", in.name)
	}
	in.say("[preflight] Reading configuration from the \"kubeadm-config\" ConfigMap in namespace \"kube-system\"...")
	if err := yaml.Unmarshal([]byte(text(config, "data", "ClusterConfiguration")), &in.conf.cluster); err != nil {
		return nil, err
	}
	in.version, in.endpoint = text(config, "data", "version"), text(config, "data", "endpoint")
	in.conf.kubelet = object{}
	return api, yaml.Unmarshal([]byte(text(kubelet, "data", "kubelet")), &in.conf.kubelet)
}

// runJoin does the phases of join after the checks.
func (in *installation) runJoin(api *apiServer, j *joinConfig) (phase string, err error) {
	if _, theirs := minorOf(api.version); true {
		if _, ours := minorOf(in.adminCall.version); ours < theirs || ours > theirs+1 {
			return "preflight", fmt.Errorf("this version of kubeadm only supports clusters of its own minor version or the one before. Cluster: %s, kubeadm: %s", api.version, in.adminCall.version)
		}
	}
	if j.ControlPlane != nil {
		if in.conf.cluster.ControlPlaneEndpoint == "" {
			return "preflight", says("One or more conditions for hosting a new control plane instance is not satisfied.\n\nunable to add a new control plane instance to a cluster that doesn't have a stable controlPlaneEndpoint address\n\nPlease ensure that:\n* The cluster has a stable controlPlaneEndpoint address.")
		}
		if key := j.ControlPlane.CertificateKey; key != "" {
			if err := in.downloadCerts(api, key); err != nil {
				return "control-plane-prepare/download-certs", err
			}
		} else if !in.exists(pkiDir + "/ca.key") {
			return "preflight", says("One or more conditions for hosting a new control plane instance is not satisfied.\n\nfailure loading certificate for CA: couldn't load the certificate file /etc/kubernetes/pki/ca.crt: open /etc/kubernetes/pki/ca.crt: no such file or directory")
		}
		if err := in.makeCerts(); err != nil {
			return "control-plane-prepare/certs", err
		}
		if err := in.makeKubeconfigs(false); err != nil {
			return "control-plane-prepare/kubeconfig", err
		}
	}
	if err := errors.Join(
		in.write(bootstrapConf, kubeconfigText("kubernetes", "https://"+in.endpoint, "tls-bootstrap-token-user", in.ca, object{"token": j.Discovery.BootstrapToken.Token}), true),
		in.write(pkiDir+"/ca.crt", in.ca.certPEM(), false),
		in.writeKubelet(),
	); err != nil {
		return "kubelet-start", err
	}
	if in.p.Midway() != nil { // a cut-off here leaves a join half done
		return "kubelet-start", in.ctx.Err()
	}
	if err := in.startKubelet(); err != nil {
		return "kubelet-start", err
	}
	in.say("[kubelet-start] Waiting for the kubelet to perform the TLS Bootstrap")
	if !in.poll(in.timeouts.TLSBootstrap, func() bool { return in.exists(kubeletConfig) }) {
		return "kubelet-start", errors.New("timed out waiting for the condition")
	}
	if err := in.waitNode(api.store); err != nil {
		return "kubelet-start", err
	}
	in.p.FS().Remove(vfs.Root(), bootstrapConf) //nolint:errcheck // it holds a token that expires
	if j.ControlPlane != nil {
		return in.joinControlPlane(api)
	}
	return "", nil
}

// joinControlPlane makes this node a member of etcd and starts its API server.
func (in *installation) joinControlPlane(api *apiServer) (phase string, err error) {
	if _, external := in.conf.cluster.external(); !external {
		in.say("[etcd] Announced new etcd member joining to the existing etcd cluster")
		if err := api.store.addMember(in.p.Machine(), in.name); err != nil {
			return "control-plane-join/etcd", err
		}
		defer func() {
			if err != nil {
				api.store.leave(in.name, in.p.Machine())
			}
		}()
	}
	if err := in.writeManifests(); err != nil {
		return "control-plane-join/etcd", err
	}
	in.systemctl("stop", "kubelet") // the model's looks for new static pods when it starts
	if err := in.startKubelet(); err != nil {
		return "control-plane-join/etcd", err
	}
	if _, err := in.waitAPI(); err != nil {
		return "control-plane-join/etcd", err
	}
	if err := in.waitNode(api.store); err != nil {
		return "control-plane-join/etcd", err
	}
	api.store.mu.Lock()
	defer api.store.mu.Unlock()
	return "control-plane-join/mark-control-plane", in.markControlPlane(api.store)
}
