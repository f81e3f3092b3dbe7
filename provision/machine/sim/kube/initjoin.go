package kube

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"podium/provision/machine/sim/service"
	"podium/provision/machine/sim/vfs"
)

// defaultKubelet is the kubelet's configuration when the file has none.
const defaultKubelet = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncgroupDriver: systemd\n"

// init makes a cluster.
func (a *admin) init() error {
	c, err := a.readConfig()
	if err != nil {
		return err
	}
	version := strings.TrimPrefix(c.cluster.Version, "v")
	if version == "" || strings.HasPrefix(version, "stable") {
		version = a.p.Version
	}
	a.p.Printf("[init] Using Kubernetes version: v%s (simulated)\n", version)
	if minor(version) != minor(a.p.Version) {
		return fmt.Errorf("this version of kubeadm only supports deploying clusters with the control plane version >= %s.0. Current version: v%s", minor(a.p.Version), version)
	}
	if err := a.preflight(true, true); err != nil {
		return err
	}
	if err := a.advertised(c.init.Endpoint.Address); err != nil {
		return err
	}
	for _, img := range a.images() {
		if err := service.Pull(a.ctx, a.p, img); err != nil {
			return &preflightError{[]string{fmt.Sprintf("[ERROR ImagePull]: failed to pull image %s: %v", img, err)}}
		}
	}
	cluster, err := a.newCluster(c, version)
	if err != nil {
		return err
	}
	// Cut off here, it leaves certificates and manifests, and a cluster without addons.
	if err := a.p.Midway(); err != nil {
		return err
	}
	kubelet := c.kubelet
	if kubelet == "" {
		kubelet = defaultKubelet
	}
	if err := a.startKubelet(kubelet, ""); err != nil {
		return err
	}
	live, err := dial(a.ctx, a.m, a.m.Hardware.Address+":6443", cluster.ID)
	if err != nil {
		return fmt.Errorf("error execution phase wait-control-plane: failed while waiting for the control plane to start: %w", err)
	}
	live.mu.Lock()
	live.Whole = true
	live.Objects["Deployment/kube-system/coredns"] = workload("Deployment", "kube-system", "coredns", 2)
	live.Objects["DaemonSet/kube-system/kube-proxy"] = workload("DaemonSet", "kube-system", "kube-proxy", 0)
	if n := live.Nodes[nodeName(a.m)]; n != nil {
		n.Labels["node-role.kubernetes.io/control-plane"] = ""
		n.Taints = taintsOf(c.init.Node, true)
	}
	if !a.o.Has("skip-token-print") {
		id, secret := newToken()
		live.Tokens[id] = &token{Secret: secret, Expires: a.p.Kernel.Clock().Add(24 * time.Hour)}
		a.p.Printf("\nThen you can join any number of worker nodes by running the following on each as root:\n\nkubeadm join %s --token %s.%s \\\n\t--discovery-token-ca-cert-hash %s \n",
			live.endpoint(), id, secret, live.CAHash)
	}
	live.changed()
	live.mu.Unlock()
	a.p.Print("[addons] Applied essential addon: CoreDNS\n[addons] Applied essential addon: kube-proxy\n\nYour Kubernetes control-plane has initialized successfully! (simulated)\n")
	if a.o.Has("upload-certs") {
		return a.uploadCerts()
	}
	return nil
}

func minor(v string) string {
	f := strings.SplitN(v, ".", 3)
	return strings.Join(f[:min(2, len(f))], ".")
}

func taintsOf(n nodeRegistration, controlPlane bool) []string {
	if n.Taints == nil {
		if controlPlane {
			return []string{"node-role.kubernetes.io/control-plane:NoSchedule"}
		}
		return nil
	}
	var list []string
	for _, t := range *n.Taints {
		list = append(list, t.Key+":"+t.Effect)
	}
	return list
}

// advertised checks that the address of the API server is one of this machine.
func (a *admin) advertised(address string) error {
	if address == "" || address == a.m.Hardware.Address || address == natAddress {
		return nil
	}
	if _, err := netip.ParseAddr(address); err != nil {
		return fmt.Errorf("localAPIEndpoint.advertiseAddress: Invalid value: %q: ip address is not valid", address)
	}
	return fmt.Errorf("couldn't use %q as \"apiserver-advertise-address\": not found on this machine", address)
}

// newCluster writes certificates, kubeconfigs, manifests and the first data of etcd.
func (a *admin) newCluster(c *configuration, version string) (*Cluster, error) {
	ca, hash, err := newAuthority(a.p.Kernel.Clock())
	if err != nil {
		return nil, err
	}
	name := nodeName(a.m)
	address := c.init.Endpoint.Address
	if address == "" {
		address = natAddress
	}
	endpoint := c.cluster.Endpoint
	if endpoint == "" {
		endpoint = address + ":6443"
	}
	title := c.cluster.Name
	if title == "" {
		title = "kubernetes"
	}
	cluster := &Cluster{
		ID: randomHex(8), Version: "v" + version, CAHash: hash, PodSubnet: c.cluster.Networking.Pods, ServiceSubnet: c.cluster.Networking.Services,
		Members: map[string]string{name: address}, Tokens: map[string]*token{}, Nodes: map[string]*Node{},
		Objects: map[string]object{"ConfigMap/kube-system/kubeadm-config": {"endpoint": endpoint, "ca": ca, "name": title}},
	}
	for _, arg := range c.cluster.Controllers.Args {
		cluster.OwnRanges = cluster.OwnRanges || arg.Name == "allocate-node-cidrs" && arg.Value == "false"
	}
	if err := a.writeControlPlane(cluster, title, endpoint, ca); err != nil {
		return nil, err
	}
	return cluster, cluster.save(a.m.FS)
}

// writeControlPlane writes the files of a control plane.
func (a *admin) writeControlPlane(c *Cluster, title, endpoint, ca string) error {
	fs, root := a.m.FS, vfs.Root()
	own := a.m.Hardware.Address + ":6443"
	errs := []error{
		fs.MkdirAll(root, pkiDir+"/etcd", 0o755), fs.MkdirAll(root, manifests, 0o700),
		fs.WriteFile(root, pkiDir+"/ca.crt", ca, 0o644), fs.WriteFile(root, pkiDir+"/ca.key", "simulated\n", 0o600),
		fs.WriteFile(root, adminConf, kubeconfig(title, endpoint, c.ID, "kubernetes-admin", ca), 0o600),
		fs.WriteFile(root, "/etc/kubernetes/super-admin.conf", kubeconfig(title, own, c.ID, "kubernetes-super-admin", ca), 0o600),
		fs.WriteFile(root, kubeletCfg, kubeconfig(title, endpoint, c.ID, "system:node:"+nodeName(a.m), ca), 0o600),
	}
	for _, pod := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		text := fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  namespace: kube-system\nspec:\n  containers:\n  - name: %[1]s\n    command: [%[1]s]\n", pod)
		errs = append(errs, fs.WriteFile(root, manifests+"/"+pod+".yaml", text, 0o600))
	}
	for _, crt := range []string{"apiserver", "apiserver-kubelet-client", "front-proxy-client", "apiserver-etcd-client"} {
		errs = append(errs, fs.WriteFile(root, pkiDir+"/"+crt+".crt", ca, 0o644))
	}
	a.p.Printf("[certs] Using certificateDir folder \"%s\"\n[kubeconfig] Using kubeconfig folder \"/etc/kubernetes\"\n[control-plane] Using manifest folder \"%s\"\n", pkiDir, manifests)
	return errors.Join(errs...)
}

// join takes this node into a cluster.
func (a *admin) join() error {
	c, err := a.readConfig()
	if err != nil {
		return err
	}
	if c.join == nil {
		return errors.New("no JoinConfiguration in the configuration file")
	}
	j := c.join
	d := j.Discovery.Token
	id, secret, ok := strings.Cut(d.Token, ".")
	if !ok || len(id) != 6 || len(secret) != 16 {
		return fmt.Errorf("discovery.bootstrapToken.token: Invalid value: %q: the bootstrap token is invalid", d.Token)
	}
	if len(d.Hashes) == 0 && !d.Unsafe {
		return errors.New("discovery.bootstrapToken: Invalid value: \"\": using token-based discovery without caCertHashes can be unsafe. Set unsafeSkipCAVerification as true in your kubeadm config file or pass --discovery-token-unsafe-skip-ca-verification flag to continue")
	}
	if err := a.preflight(j.ControlPlane != nil, false); err != nil {
		return err
	}
	a.p.Print("[preflight] Reading configuration from the \"kubeadm-config\" ConfigMap in namespace \"kube-system\" (simulated)\n")
	cluster, err := dial(a.ctx, a.m, d.Endpoint, "")
	if err != nil {
		return fmt.Errorf("error execution phase preflight: couldn't validate the identity of the API Server: failed to request the cluster-info ConfigMap: Get \"https://%s/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s\": %w", d.Endpoint, err)
	}
	if err := a.admitted(cluster, id, secret, d.Hashes, d.Unsafe); err != nil {
		return err
	}
	if err := a.p.Midway(); err != nil {
		return err
	}
	cluster.mu.Lock()
	config := cluster.Objects["ConfigMap/kube-system/kubeadm-config"]
	endpoint, _ := config["endpoint"].(string)
	ca, _ := config["ca"].(string)
	title, _ := config["name"].(string)
	clusterMinor := minor(strings.TrimPrefix(cluster.Version, "v"))
	cluster.mu.Unlock()
	if clusterMinor < minor(a.p.Version) {
		return fmt.Errorf("error execution phase preflight: this version of kubeadm only supports clusters of version v%s; the cluster is v%s", minor(a.p.Version), clusterMinor)
	}
	fs, root := a.m.FS, vfs.Root()
	if j.ControlPlane != nil {
		if err := a.joinControlPlane(cluster, j.ControlPlane.CertKey, j.ControlPlane.Endpoint.Address, title, endpoint, ca); err != nil {
			return err
		}
	} else if err := errors.Join(
		fs.MkdirAll(root, pkiDir, 0o755), fs.MkdirAll(root, manifests, 0o755), fs.WriteFile(root, pkiDir+"/ca.crt", ca, 0o644),
		fs.WriteFile(root, "/etc/kubernetes/bootstrap-kubelet.conf", kubeconfig(title, endpoint, cluster.ID, "tls-bootstrap-token-user", ca), 0o600),
	); err != nil {
		return err
	}
	if err := a.startKubelet(defaultKubelet, ""); err != nil {
		return err
	}
	if err := fs.WriteFile(root, kubeletCfg, kubeconfig(title, endpoint, cluster.ID, "system:node:"+nodeName(a.m), ca), 0o600); err != nil {
		return err
	}
	fs.Remove(root, "/etc/kubernetes/bootstrap-kubelet.conf") //nolint:errcheck // a control plane has none
	cluster.mu.Lock()
	n := cluster.Nodes[nodeName(a.m)]
	if n != nil {
		if j.ControlPlane != nil {
			n.Labels["node-role.kubernetes.io/control-plane"] = ""
		}
		n.Taints = taintsOf(j.Node, j.ControlPlane != nil)
		cluster.changed()
	}
	cluster.mu.Unlock()
	if n == nil {
		return errors.New("error execution phase kubelet-start: timed out waiting for the kubelet to perform the TLS Bootstrap")
	}
	a.p.Print("\nThis node has joined the cluster (simulated):\n* Certificate signing request was sent to apiserver and a response was received.\n* The Kubelet was informed of the new secure connection details.\n")
	return nil
}

// admitted checks token and authority, as the discovery of kubeadm does.
func (a *admin) admitted(c *Cluster, id, secret string, hashes []string, unsafe bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.Tokens[id]
	now := a.p.Kernel.Clock()
	if t == nil || !t.Expires.IsZero() && c.clock(now).After(t.Expires) {
		return fmt.Errorf("error execution phase preflight: couldn't validate the identity of the API Server: could not find a JWS signature in the cluster-info ConfigMap for token ID %q", id)
	}
	if t.Secret != secret {
		return fmt.Errorf("error execution phase preflight: couldn't validate the identity of the API Server: failed to verify JWS signature of received cluster info object, can't trust this API Server")
	}
	if !unsafe && !slices.Contains(hashes, c.CAHash) {
		return fmt.Errorf("error execution phase preflight: couldn't validate the identity of the API Server: cluster CA found in cluster-info ConfigMap is invalid: none of the public keys %q are pinned", c.CAHash)
	}
	return nil
}

// clock is the time at the API server, which decides whether a token has expired; the lock must be held.
func (c *Cluster) clock(fallback time.Time) time.Time {
	for _, k := range c.running {
		return k.Clock()
	}
	return fallback
}

// joinControlPlane makes the node a member of etcd with an API server of its own.
func (a *admin) joinControlPlane(c *Cluster, certKey, address, title, endpoint, ca string) error {
	if err := a.advertised(address); err != nil {
		return err
	}
	if address == "" {
		address = natAddress
	}
	c.mu.Lock()
	switch {
	case c.CertKey == "" || c.clock(time.Now()).After(c.CertsExpire):
		c.mu.Unlock()
		return errors.New("error execution phase control-plane-prepare/download-certs: error downloading certs: error downloading the secret: Secret \"kubeadm-certs\" was not found in the \"kube-system\" Namespace. This Secret might have expired. Please, run `kubeadm init phase upload-certs --upload-certs` on a control plane to generate a new one")
	case c.CertKey != certKey:
		c.mu.Unlock()
		return errors.New("error execution phase control-plane-prepare/download-certs: error downloading certs: error decrypting secret data with provided key: cipher: message authentication failed")
	}
	c.Members[nodeName(a.m)] = address
	c.changed()
	err := c.save(a.m.FS)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return a.writeControlPlane(c, title, endpoint, ca)
}

// uploadCerts keeps the certificates in the cluster for two hours, and prints the key.
func (a *admin) uploadCerts() error {
	if a.o.Has("config") {
		if _, err := a.readConfig(); err != nil {
			return err
		}
	}
	c, err := a.cluster()
	if err != nil {
		return err
	}
	if _, err := a.m.FS.Stat(vfs.Root(), pkiDir+"/ca.key"); err != nil {
		return fmt.Errorf("error execution phase upload-certs: failed to load certificate: open %s/ca.key: no such file or directory", pkiDir)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.CertKey, c.CertsExpire = randomHex(32), a.p.Kernel.Clock().Add(2*time.Hour)
	c.changed()
	a.p.Printf("[upload-certs] Storing the certificates in Secret \"kubeadm-certs\" in the \"kube-system\" Namespace\n[upload-certs] Using certificate key:\n%s\n", c.CertKey)
	return nil
}

// workload is a deployment or daemon set as kubeadm makes it.
func workload(kind, namespace, name string, replicas int) object {
	o := object{
		"apiVersion": "apps/v1", "kind": kind,
		"metadata": map[string]any{"name": name, "namespace": namespace},
		"spec":     map[string]any{"selector": map[string]any{"matchLabels": map[string]any{"k8s-app": name}}},
	}
	if replicas > 0 {
		o["spec"].(map[string]any)["replicas"] = replicas
	}
	return o
}
