package cluster

// certsPhase makes the API server's certificate, unless it is there. A running API server reads it again by itself.
func (a *adminCall) certsPhase(args []string) int {
	in, code := a.phase("certs apiserver", args)
	if in == nil {
		return code
	}
	if in.exists(pkiDir + "/apiserver.crt") {
		in.say("[certs] Using existing apiserver certificate and key on disk")
		return 0
	}
	ca, err := in.readPKI("ca")
	if err != nil {
		return a.phaseFailed("certs/apiserver", err)
	}
	l := leaves(in.name)[0]
	c, err := newCert(ca, l.name, l.groups, in.hosts(l), in.now())
	if err == nil {
		err = in.writePair(l.file, c)
	}
	if err != nil {
		return a.phaseFailed("certs/apiserver", err)
	}
	in.say("[certs] Generating %q certificate and key", l.file)
	if api := kubeletStateOf(in.p.Kernel).server(); api != nil {
		api.cert.Store(&c)
	}
	return 0
}

// uploadConfigPhase writes the configuration that further nodes read.
func (a *adminCall) uploadConfigPhase(args []string) int {
	in, code := a.phase("upload-config kubeadm", args)
	if in == nil {
		return code
	}
	s, _, err := a.cluster("")
	if err != nil {
		return a.phaseFailed("upload-config/kubeadm", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in.say("[upload-config] Storing the configuration used in ConfigMap \"kubeadm-config\" in the \"kube-system\" Namespace")
	if err := in.uploadClusterConfig(s.store); err != nil {
		return a.phaseFailed("upload-config/kubeadm", err)
	}
	return 0
}

// kubeletConfPhase makes kubelet.conf with a certificate of its own, signed by the authority on this disk.
func (a *adminCall) kubeletConfPhase(args []string) int {
	in, code := a.phase("kubeconfig kubelet", args)
	if in == nil {
		return code
	}
	const file = "/etc/kubernetes/kubelet.conf"
	if in.exists(file) {
		in.say("[kubeconfig] Using existing kubeconfig file: %q", file)
		return 0
	}
	ca, err := in.readPKI("ca")
	if err != nil {
		return a.phaseFailed("kubeconfig/kubelet", err)
	}
	user := "system:node:" + in.name
	c, err := newCert(ca, user, []string{"system:nodes"}, nil, in.now())
	if err != nil {
		return a.phaseFailed("kubeconfig/kubelet", err)
	}
	auth, err := clientAuth(c)
	if err == nil {
		err = in.write(file, kubeconfigText("kubernetes", "https://"+in.endpoint, user, ca, auth), true)
	}
	if err != nil {
		return a.phaseFailed("kubeconfig/kubelet", err)
	}
	in.say("[kubeconfig] Writing %q kubeconfig file", "kubelet.conf")
	return 0
}

// phase reads the configuration of a phase; without one, nil and the exit code.
func (a *adminCall) phase(name string, args []string) (*installation, int) {
	o, ok := a.options("init phase "+name, args, "config:")
	if !ok {
		return nil, 1
	}
	in, err := a.newInit(o)
	if err != nil {
		return nil, a.fail(err)
	}
	return in, 0
}
