package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/vfs"
)

// write writes a file of root's.
func (a *adminCall) write(file, content string, secret bool) error {
	mode := map[bool]fs.FileMode{true: 0o600, false: 0o644}[secret]
	if err := a.p.FS().MkdirAll(vfs.Root(), path.Dir(file), 0o755); err != nil {
		return err
	}
	return a.p.FS().WriteFile(vfs.Root(), file, content, mode)
}

// writePair writes a certificate and its key.
func (a *adminCall) writePair(name string, c pair) error {
	private, err := c.keyPEM()
	if err != nil {
		return err
	}
	return errors.Join(a.write(pkiDir+"/"+name+".crt", c.certPEM(), false), a.write(pkiDir+"/"+name+".key", private, true))
}

// readPKI reads a certificate and its key.
func (a *adminCall) readPKI(name string) (pair, error) {
	cert, err1 := a.p.FS().ReadFile(vfs.Root(), pkiDir+"/"+name+".crt")
	private, err2 := a.p.FS().ReadFile(vfs.Root(), pkiDir+"/"+name+".key")
	if err := errors.Join(err1, err2); err != nil {
		return pair{}, err
	}
	return readPair(cert, private)
}

// authorities are the CAs of a cluster, which further control planes get from the first.
func (c clusterConfig) authorities() []string {
	if _, external := c.external(); external {
		return []string{"ca", "front-proxy-ca"}
	}
	return []string{"ca", "front-proxy-ca", "etcd/ca"}
}

// leaf is a certificate that a control plane makes for itself.
type leaf struct {
	file, ca, name string
	groups         []string
	server         bool
}

func leaves(node string) []leaf {
	return []leaf{
		{"apiserver", "ca", "kube-apiserver", nil, true},
		{"apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client", []string{"kubeadm:cluster-admins"}, false},
		{"front-proxy-client", "front-proxy-ca", "front-proxy-client", nil, false},
		{"etcd/server", "etcd/ca", node, nil, true},
		{"etcd/peer", "etcd/ca", node, nil, true},
		{"etcd/healthcheck-client", "etcd/ca", "kube-etcd-healthcheck-client", nil, false},
		{"apiserver-etcd-client", "etcd/ca", "kube-apiserver-etcd-client", nil, false},
	}
}

// makeCerts makes what is missing below /etc/kubernetes/pki.
func (in *installation) makeCerts() error {
	in.say("[certs] Using certificateDir folder %q", pkiDir)
	cas := map[string]pair{}
	for _, name := range in.conf.cluster.authorities() {
		ca, err := in.readPKI(name)
		if err != nil {
			if ca, err = newCA(map[string]string{"ca": "kubernetes", "front-proxy-ca": "front-proxy-ca", "etcd/ca": "etcd-ca"}[name], in.now()); err != nil {
				return err
			}
			in.say("[certs] Generating %q certificate and key", name)
			if err := in.writePair(name, ca); err != nil {
				return err
			}
		}
		cas[name] = ca
	}
	in.ca = cas["ca"]
	for _, l := range leaves(in.name) {
		if _, signed := cas[l.ca]; !signed {
			continue // of external etcd, which has given it already
		}
		in.say("[certs] Generating %q certificate and key", l.file)
		c, err := newCert(cas[l.ca], l.name, l.groups, in.hosts(l), in.now())
		if err != nil {
			return err
		}
		if err := in.writePair(l.file, c); err != nil {
			return err
		}
	}
	if in.exists(pkiDir + "/sa.key") {
		return nil
	}
	sa, err := newCA("sa", in.now())
	if err != nil {
		return err
	}
	private, err := sa.keyPEM()
	if err != nil {
		return err
	}
	return errors.Join(in.write(pkiDir+"/sa.key", private, true), in.write(pkiDir+"/sa.pub", sa.certPEM(), false))
}

// hosts are the names and addresses in a server's certificate.
func (in *installation) hosts(l leaf) []string {
	if !l.server {
		return nil
	}
	list := []string{in.name, "localhost", "127.0.0.1", in.address}
	if l.file == "apiserver" {
		host, _, _ := strings.Cut(in.endpoint, ":")
		list = append(list, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "10.96.0.1", host)
		list = append(list, in.conf.cluster.APIServer.CertSANs...)
		in.say("[certs] apiserver serving cert is signed for DNS names and IPs %v", list)
	}
	return list
}

// makeKubeconfigs writes admin.conf and the others.
func (in *installation) makeKubeconfigs(first bool) error {
	in.say("[kubeconfig] Using kubeconfig folder \"/etc/kubernetes\"")
	cluster := in.conf.cluster.ClusterName
	files := []struct {
		file, user, server string
		groups             []string
	}{
		{"admin.conf", "kubernetes-admin", in.endpoint, []string{"kubeadm:cluster-admins"}},
		{"controller-manager.conf", "system:kube-controller-manager", fmt.Sprintf("%s:%d", in.address, apiPort), nil},
		{"scheduler.conf", "system:kube-scheduler", fmt.Sprintf("%s:%d", in.address, apiPort), nil},
		{"super-admin.conf", "kubernetes-super-admin", in.endpoint, []string{"system:masters"}},
		{"kubelet.conf", "system:node:" + in.name, in.endpoint, []string{"system:nodes"}},
	}
	for _, f := range files {
		if f.file == "super-admin.conf" && !first || f.file == "kubelet.conf" && !first {
			continue
		}
		c, err := newCert(in.ca, f.user, f.groups, nil, in.now())
		if err != nil {
			return err
		}
		auth, err := clientAuth(c)
		if err != nil {
			return err
		}
		in.say("[kubeconfig] Writing %q kubeconfig file", f.file)
		if err := in.write("/etc/kubernetes/"+f.file, kubeconfigText(cluster, "https://"+f.server, f.user, in.ca, auth), true); err != nil {
			return err
		}
	}
	return nil
}

// writeManifests writes the static pods.
func (in *installation) writeManifests() error {
	list := kubeImages(in.conf.cluster.ImageRepository, in.version)
	images := map[string]string{"kube-apiserver": list[0], "kube-controller-manager": list[1], "kube-scheduler": list[2], "etcd": list[len(list)-1]}
	names := []string{"etcd", "kube-controller-manager", "kube-scheduler", "kube-apiserver"}
	if _, external := in.conf.cluster.external(); external {
		names = names[1:]
	}
	for _, name := range names {
		pod, err := yaml.Marshal(object{
			"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": name, "namespace": kubeSystem, "labels": object{"component": name, "tier": "control-plane"}},
			"spec": object{
				"hostNetwork": true, "priorityClassName": "system-node-critical",
				"containers": []any{object{"name": name, "image": images[name], "command": in.command(name)}},
			},
		})
		if err != nil {
			return err
		}
		in.say("[control-plane] Creating static Pod manifest for %q", name)
		if err := in.write(manifestDir+"/"+name+".yaml", string(pod), true); err != nil {
			return err
		}
	}
	return nil
}

func (in *installation) command(name string) []any {
	c := []any{name}
	var extra component
	switch name {
	case "kube-apiserver":
		servers := "https://127.0.0.1:2379"
		if e, external := in.conf.cluster.external(); external {
			servers = strings.Join(e.Endpoints, ",")
			c = append(c, "--etcd-cafile="+e.CAFile, "--etcd-certfile="+e.CertFile, "--etcd-keyfile="+e.KeyFile)
		}
		c = append(c, "--advertise-address="+in.address, "--client-ca-file="+pkiDir+"/ca.crt", "--etcd-servers="+servers,
			fmt.Sprintf("--secure-port=%d", apiPort), "--service-cluster-ip-range="+in.conf.cluster.Networking.ServiceSubnet)
		extra = in.conf.cluster.APIServer
	case "kube-controller-manager":
		c = append(c, "--cluster-cidr="+in.conf.cluster.Networking.PodSubnet, "--kubeconfig=/etc/kubernetes/controller-manager.conf")
		extra = in.conf.cluster.ControllerManager
	case "kube-scheduler":
		c = append(c, "--kubeconfig=/etc/kubernetes/scheduler.conf")
		extra = in.conf.cluster.Scheduler
	case "etcd":
		c = append(c, "--data-dir="+etcdDir, "--name="+in.name, "--listen-peer-urls=https://"+in.address+":2380")
		for _, a := range items(in.conf.cluster.Etcd, "local", "extraArgs") {
			c = append(c, "--"+text(a, "name")+"="+text(a, "value"))
		}
	}
	for _, a := range extra.ExtraArgs {
		c = append(c, "--"+a.Name+"="+a.Value)
	}
	return c
}

// writeKubelet writes the kubelet's configuration and flags. It stops the kubelet first, as kubeadm does, "so no race
// conditions occur when configuring it" (cmd/kubeadm/app/cmd/phases/join/kubelet.go).
func (in *installation) writeKubelet() error {
	in.systemctl("stop", "kubelet")
	config := object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "cgroupDriver": "systemd", "staticPodPath": manifestDir,
		"containerRuntimeEndpoint": in.node.CRISocket, "clusterDNS": []any{"10.96.0.10"}, "clusterDomain": "cluster.local", "rotateCertificates": true,
	}
	for k, v := range in.conf.kubelet {
		config[k] = v
	}
	out, err := yaml.Marshal(config)
	if err != nil {
		return err
	}
	flags := ""
	if in.name != strings.ToLower(in.p.Machine().Hostname()) {
		flags = "--hostname-override=" + in.name
	}
	for _, a := range in.node.ExtraArgs {
		flags += " --" + text(a, "name") + "=" + text(a, "value")
	}
	in.say("[kubelet-start] Writing kubelet environment file with flags to file \"/var/lib/kubelet/kubeadm-flags.env\"\n[kubelet-start] Writing kubelet configuration to file %q", kubeletConf)
	return errors.Join(in.write(kubeletConf, string(out), false),
		in.write(kubeletDir+"/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=\""+strings.TrimSpace(flags)+"\"\n", false))
}

// startKubelet starts the kubelet and waits until it is healthy or has failed.
func (in *installation) startKubelet() error {
	in.say("[kubelet-start] Starting the kubelet")
	state := kubeletStateOf(in.p.Kernel)
	state.mu.Lock()
	before := state.failures
	state.mu.Unlock()
	in.systemctl("daemon-reload")
	if !in.systemctl("start", "kubelet") {
		in.p.Errorf("[kubelet-start] WARNING: unable to start the kubelet service: [couldn't start kubelet service]\n[kubelet-start] Please ensure kubelet is reloaded and running manually.")
	}
	in.say("[kubelet-check] Waiting for a healthy kubelet at http://127.0.0.1:10248/healthz. This can take up to %s", in.timeouts.kubelet())
	why := ""
	healthy := in.poll(in.timeouts.kubelet(), func() bool {
		state.mu.Lock()
		defer state.mu.Unlock()
		if state.failures != before {
			why = state.failure
			return true
		}
		return in.p.Kernel.Listener(healthPort) != nil
	})
	if healthy && why == "" {
		return nil
	}
	in.say("[kubelet-check] The kubelet is not healthy after %s\n\nUnfortunately, an error has occurred, likely caused by:\n"+
		"\t- The kubelet is not running\n\t- The kubelet is unhealthy due to a misconfiguration of the node in some way (required cgroups disabled)\n\n"+
		"If you are on a systemd-powered system, you can try to troubleshoot the error with the following commands:\n\t- 'systemctl status kubelet'\n\t- 'journalctl -xeu kubelet'\n", in.timeouts.kubelet())
	return fmt.Errorf("failed while waiting for the kubelet to start: The HTTP call equal to 'curl -sSL http://127.0.0.1:10248/healthz' returned error: Get \"http://127.0.0.1:10248/healthz\": dial tcp 127.0.0.1:10248: connect: connection refused")
}

// poll asks until done or the time is over.
func (a *adminCall) poll(limit string, done func() bool) bool {
	d, err := time.ParseDuration(limit)
	if err != nil {
		d = 4 * time.Minute
	}
	over := time.NewTimer(d)
	defer over.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-over.C:
			return false
		case <-a.ctx.Done():
			return false
		}
	}
	return true
}

// waitAPI waits for this node's API server.
func (in *installation) waitAPI() (*apiServer, error) {
	in.say("[wait-control-plane] Waiting for the kubelet to boot up the control plane as static Pods from directory %q", manifestDir)
	var api *apiServer
	if !in.poll(in.timeouts.ControlPlane, func() bool {
		api = kubeletStateOf(in.p.Kernel).server()
		return api != nil
	}) {
		return nil, fmt.Errorf("failed while waiting for the control plane to start: kube-apiserver check failed at https://%s:%d/livez: connect: connection refused", in.address, apiPort)
	}
	return api, nil
}

// waitNode waits until the kubelet has registered the node.
func (in *installation) waitNode(s *store) error {
	if !in.poll(in.timeouts.API, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.kubelets[in.name] != nil && s.get(key{"nodes", "", in.name}) != nil
	}) {
		return fmt.Errorf("error writing Crisocket information for the control-plane node: nodes %q not found", in.name)
	}
	return nil
}
