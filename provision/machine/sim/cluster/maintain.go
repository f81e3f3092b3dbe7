package cluster

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"podium/provision/machine/sim/vfs"
)

// cluster reaches the cluster by admin.conf.
func (a *adminCall) cluster(file string) (*session, kubeconfig, error) {
	if file == "" {
		file = "/etc/kubernetes/admin.conf"
	}
	conf, err := readKubeconfig(a.p.FS(), a.p.Cred, a.p.Path(file), "")
	if err != nil {
		return nil, conf, fmt.Errorf("failed to load admin kubeconfig: %w", err)
	}
	s, err := connect(a.ctx, a.p.Kernel, conf)
	if err != nil {
		var d *dialError
		if errors.As(err, &d) {
			err = saysf("Get \"%s/api/v1/namespaces/kube-system?timeout=10s\": %v", conf.server, err)
		}
		return nil, conf, err
	}
	return s, conf, nil
}

// token creates, lists and deletes bootstrap tokens.
func (a *adminCall) token(args []string) int {
	if len(args) == 0 {
		return a.fail(errors.New("missing subcommand; \"token\" is not meant to be run on its own"))
	}
	o, ok := a.options("token "+args[0], args[1:], "ttl: print-join-command description: certificate-key: config: kubeconfig: o,output: dry-run")
	if !ok {
		return 1
	}
	if args[0] == "generate" {
		a.p.Print(random(3) + "." + random(8) + "\n")
		return 0
	}
	s, conf, err := a.cluster(o.Value("kubeconfig"))
	if err != nil {
		return a.fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch args[0] {
	case "create":
		ttl, err := time.ParseDuration(o.Or("ttl", "24h"))
		if err != nil {
			return a.fail(fmt.Errorf("invalid argument %q for \"--ttl\" flag: %w", o.Value("ttl"), err))
		}
		token, err := a.createToken(s.store, strings.Join(o.Args, ""), ttl, o.Value("description"))
		if err != nil {
			return a.fail(err)
		}
		if !o.Has("print-join-command") {
			a.p.Print(token + "\n")
			return 0
		}
		line := fmt.Sprintf("kubeadm join %s --token %s --discovery-token-ca-cert-hash %s", strings.TrimPrefix(conf.server, "https://"), token, pin(conf.ca))
		if k := o.Value("certificate-key"); k != "" {
			line += " --control-plane --certificate-key " + k
		}
		a.p.Print(line + "\n")
	case "delete":
		if len(o.Args) == 0 {
			return a.fail(errors.New("missing argument; 'token delete' is missing token of form [\"^([a-z0-9]{6})\\.([a-z0-9]{16})$\"]"))
		}
		for _, t := range o.Args {
			id, _, _ := strings.Cut(t, ".")
			k := key{"secrets", kubeSystem, tokenSecret + id}
			if s.get(k) == nil {
				return a.fail(fmt.Errorf("failed to delete bootstrap token %q: secrets %q not found", id, k.name))
			}
			if err := s.remove(k); err != nil {
				return a.fail(err)
			}
			a.p.Printf("bootstrap token %q deleted\n", id)
		}
	default:
		return a.fail(fmt.Errorf("\"token %s\" is not in the simulator's model", args[0]))
	}
	return 0
}

// initPhase runs single phases of init.
func (a *adminCall) initPhase(args []string) int {
	switch {
	case len(args) > 1 && args[0] == "certs" && args[1] == "apiserver":
		return a.certsPhase(args[2:])
	case len(args) > 1 && args[0] == "upload-config" && args[1] == "kubeadm":
		return a.uploadConfigPhase(args[2:])
	case len(args) > 1 && args[0] == "kubeconfig" && args[1] == "kubelet":
		return a.kubeletConfPhase(args[2:])
	case len(args) == 0 || args[0] != "upload-certs":
		return a.fail(fmt.Errorf("\"init phase %s\" is not in the simulator's model: upload-certs, certs apiserver, kubeconfig kubelet and upload-config kubeadm are", strings.Join(args, " ")))
	}
	o, ok := a.options("init phase upload-certs", args[1:], "upload-certs config: certificate-key: kubeconfig:")
	if !ok {
		return 1
	}
	if file := o.Value("config"); file != "" {
		if _, err := a.readConfig(file); err != nil {
			return a.fail(err)
		}
	}
	if !o.Has("upload-certs") {
		a.p.Print("[upload-certs] Skipping phase. Please see --upload-certs\n")
		return 0
	}
	s, _, err := a.cluster(o.Value("kubeconfig"))
	if err != nil {
		return a.phaseFailed("upload-certs", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := a.uploadCerts(s.store, o.Value("certificate-key")); err != nil {
		return a.phaseFailed("upload-certs", err)
	}
	return 0
}

// reset undoes what init or join did on this node.
func (a *adminCall) reset(args []string) int {
	o, ok := a.options("reset", args, "f,force cri-socket: cleanup-tmp-dir ignore-preflight-errors: kubeconfig: cert-dir:")
	if !ok {
		return 1
	}
	if a.p.Cred.UID != 0 {
		return a.phaseFailed("preflight", errors.New("[preflight] Some fatal errors occurred:\n\t[ERROR IsPrivilegedUser]: user is not running as root"))
	}
	if !o.Has("f") {
		a.p.Print("[reset] WARNING: Changes made to this host by 'kubeadm init' or 'kubeadm join' will be reverted.\n[reset] Are you sure you want to proceed? [y/N]: ")
		var answer [1]byte
		if n, _ := a.p.Stdin().Read(answer[:]); n == 0 || answer[0] != 'y' && answer[0] != 'Y' {
			return a.phaseFailed("preflight", errors.New("won't proceed; the user didn't answer (Y|y) in order to continue"))
		}
	}
	state := kubeletStateOf(a.p.Kernel)
	if api := state.server(); api != nil {
		a.p.Print("[reset] Removing info for node from the ConfigMap \"kubeadm-config\" in the \"kube-system\" Namespace\n")
		api.store.mu.Lock()
		others := len(api.store.live) > 1 && !api.store.head.External
		api.store.mu.Unlock()
		if others {
			api.store.removeMember(api.node)
		}
	}
	a.p.Print("[reset] Stopping the kubelet service\n")
	if !a.systemctl("stop", "kubelet") {
		a.p.Errorf("[reset] The kubelet service could not be stopped by kubeadm")
	}
	state.stopControlPlane()
	state.mu.Lock()
	state.pods = map[key]*podRun{}
	state.mu.Unlock()
	a.p.Print("[reset] Unmounting mounted directories in \"/var/lib/kubelet\"\n[reset] Deleting contents of directories: [" + manifestDir + " " + kubeletDir + " " + pkiDir + "]\n")
	fs, root := a.p.FS(), vfs.Root()
	for _, dir := range []string{manifestDir, kubeletDir, pkiDir, etcdDir} {
		entries, err := fs.ReadDir(root, dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if err := fs.RemoveAll(root, dir+"/"+e.Name()); err != nil {
				return a.phaseFailed("cleanup-node", err)
			}
		}
	}
	for _, name := range []string{"admin", "super-admin", "kubelet", "bootstrap-kubelet", "controller-manager", "scheduler"} {
		fs.Remove(root, "/etc/kubernetes/"+name+".conf") //nolint:errcheck // it may not be there
	}
	a.p.Print("\nThe reset process does not perform cleanup of CNI plugin configuration,\nnetwork filtering rules and kubeconfig files.\n")
	return 0
}

// certs shows and renews certificates.
func (a *adminCall) certs(args []string) int {
	if len(args) == 0 {
		return a.fail(errors.New("missing subcommand; \"certs\" is not meant to be run on its own"))
	}
	o, ok := a.options("certs "+args[0], args[1:], "config: cert-dir: kubeconfig:")
	if !ok {
		return 1
	}
	files := leaves(a.p.Machine().Hostname())
	switch args[0] {
	case "certificate-key":
		a.p.Print(random(32) + "\n")
		return 0
	case "check-expiration":
		rows := [][]string{{"CERTIFICATE", "EXPIRES", "RESIDUAL TIME", "CERTIFICATE AUTHORITY"}}
		for _, l := range files {
			c, err := a.readPKI(l.file)
			if err != nil {
				rows = append(rows, []string{"!MISSING! " + l.file, "", "", ""})
				continue
			}
			left := "<invalid>"
			if d := c.cert.NotAfter.Sub(a.now()); d > 0 {
				left = age(d)
			}
			rows = append(rows, []string{strings.ReplaceAll(l.file, "/", "-"), c.cert.NotAfter.UTC().Format("Jan 02, 2006 15:04 MST"), left, strings.ReplaceAll(l.ca, "/", "-")})
		}
		a.p.Print(table(rows))
		return 0
	case "renew":
		if len(o.Args) != 1 {
			return a.fail(errors.New("missing subcommand; \"renew\" is not meant to be run on its own"))
		}
		if err := a.renew(o.Args[0], files); err != nil {
			return a.fail(err)
		}
		return 0
	}
	return a.fail(fmt.Errorf("\"certs %s\" is not in the simulator's model", args[0]))
}

// renew renews certificates, with the names that they had.
func (a *adminCall) renew(which string, files []leaf) error {
	found := false
	for _, l := range files {
		if which != "all" && which != strings.ReplaceAll(l.file, "/", "-") {
			continue
		}
		if which == "all" && !a.exists("/etc/kubernetes/pki/"+l.file+".crt") {
			continue // of an etcd that is elsewhere
		}
		found = true
		old, err := a.readPKI(l.file)
		if err != nil {
			return err
		}
		ca, err := a.readPKI(l.ca)
		if err != nil {
			return err
		}
		hosts := old.cert.DNSNames
		for _, ip := range old.cert.IPAddresses {
			hosts = append(hosts, ip.String())
		}
		c, err := newCert(ca, old.cert.Subject.CommonName, old.cert.Subject.Organization, hosts, a.now())
		if err != nil {
			return err
		}
		if err := a.writePair(l.file, c); err != nil {
			return err
		}
		a.p.Printf("certificate %s renewed\n", strings.ReplaceAll(l.file, "/", "-"))
	}
	for _, name := range []string{"admin", "super-admin", "controller-manager", "scheduler"} {
		if which != "all" && which != name+".conf" || !a.exists("/etc/kubernetes/"+name+".conf") {
			continue
		}
		found = true
		if err := a.renewKubeconfig("/etc/kubernetes/" + name + ".conf"); err != nil {
			return err
		}
		a.p.Printf("certificate embedded in the kubeconfig file %s.conf renewed\n", name)
	}
	if !found {
		return fmt.Errorf("unknown certificate %q", which)
	}
	a.p.Print("\nDone renewing certificates. You must restart the kube-apiserver, kube-controller-manager, kube-scheduler and etcd, so that they can use the new certificates.\n")
	return nil
}

func (a *adminCall) renewKubeconfig(file string) error {
	conf, err := readKubeconfig(a.p.FS(), vfs.Root(), file, "")
	if err != nil {
		return err
	}
	ca, err := a.readPKI("ca")
	if err != nil {
		return err
	}
	c, err := newCert(ca, conf.cert.Subject.CommonName, conf.cert.Subject.Organization, nil, a.now())
	if err != nil {
		return err
	}
	auth, err := clientAuth(c)
	if err != nil {
		return err
	}
	return a.write(file, kubeconfigText(conf.cluster, conf.server, conf.user, ca, auth), true)
}
