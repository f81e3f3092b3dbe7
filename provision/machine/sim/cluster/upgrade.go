package cluster

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/vfs"
)

// upgrade brings a cluster, or one node of it, to the version of this kubeadm.
func (a *adminCall) upgrade(args []string) int {
	if len(args) == 0 {
		return a.fail(errors.New("missing subcommand; \"upgrade\" is not meant to be run on its own"))
	}
	o, ok := a.options("upgrade "+args[0], args[1:], "y,yes f,force ignore-preflight-errors: config: kubeconfig: dry-run")
	if !ok {
		return 1
	}
	if a.p.Cred.UID != 0 {
		return a.phaseFailed("preflight", errors.New("[preflight] Some fatal errors occurred:\n\t[ERROR IsPrivilegedUser]: user is not running as root"))
	}
	switch args[0] {
	case "apply":
		if len(o.Args) != 1 {
			return a.fail(errors.New("missing one or more required arguments. Required arguments: [version]"))
		}
		if !o.Has("y") && !o.Has("f") {
			return a.fail(errors.New("the simulator's model of kubeadm upgrade apply does not ask: add --yes"))
		}
		if err := a.upgradeApply("v" + strings.TrimPrefix(o.Args[0], "v")); err != nil {
			return a.phaseFailed("upgrade", err)
		}
	case "node":
		if err := a.upgradeNode(); err != nil {
			return a.phaseFailed("upgrade", err)
		}
	default:
		return a.fail(fmt.Errorf("\"upgrade %s\" is not in the simulator's model: apply and node are", args[0]))
	}
	return 0
}

// upgradeApply is the upgrade of the first control plane, and of what the cluster has as a whole.
func (a *adminCall) upgradeApply(v string) error {
	s, _, err := a.cluster("")
	if err != nil {
		return err
	}
	a.p.Print("[upgrade/config] Reading configuration from the \"kubeadm-config\" ConfigMap in namespace \"kube-system\"...\n")
	if err := a.upgradable(s, v); err != nil {
		return err
	}
	repository, err := a.repository(s)
	if err != nil {
		return err
	}
	a.p.Printf("[upgrade/version] You have chosen to upgrade the cluster version to %q (simulated)\n", v)
	if code := a.pullImages(defaultSocket, repository, v); code != 0 {
		return errors.New("the images cannot be pulled")
	}
	if err := a.upgradePods(s, repository, v); err != nil {
		return err
	}
	if a.p.Midway() != nil { // a cut-off here leaves a control plane of the new version in a cluster of the old one
		return a.ctx.Err()
	}
	s, _, err = a.cluster("") // its API server is a new one
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.setVersion(v); err != nil {
		return err
	}
	list := kubeImages(repository, v)
	for k, image := range map[key]string{
		{"deployments", kubeSystem, "coredns"}: list[4], {"daemonsets", kubeSystem, "kube-proxy"}: list[3],
	} {
		o := clone(s.get(k))
		for _, c := range items(o, "spec", "template", "spec", "containers") {
			c.(object)["image"] = image //nolint:forcetypeassert // the model has made it
		}
		if err := s.put(k, o); err != nil {
			return err
		}
	}
	if err := s.controllers(a.now()); err != nil {
		return err
	}
	a.p.Printf("[addons] Applied essential addon: CoreDNS\n[addons] Applied essential addon: kube-proxy\n\n[upgrade] SUCCESS! A control plane node of your cluster was upgraded to %q.\n", v)
	return nil
}

// upgradable is kubeadm's policy: cmd/kubeadm/app/phases/upgrade/policy.go.
func (a *adminCall) upgradable(s *session, v string) error {
	if err := a.checkVersion(v); err != nil {
		return err
	}
	s.mu.Lock()
	has := text(s.get(key{"configmaps", kubeSystem, "kubeadm-config"}), "data", "version")
	s.mu.Unlock()
	_, from := minorOf(has)
	_, to := minorOf(v)
	const fatal = "[upgrade/version] FATAL: the --version argument is invalid due to these fatal errors:\n\n\t- "
	switch {
	case to > from+1:
		return fmt.Errorf(fatal+"Specified version to upgrade to %q is too high; kubeadm can upgrade only 1 minor version at a time", v)
	case to < from:
		return fmt.Errorf(fatal+"Specified version to downgrade to %q is too low; kubeadm can downgrade only 1 minor version at a time", v)
	}
	for _, n := range s.nodeVersions() {
		if _, kubelet := minorOf(n); kubelet < to-3 {
			return fmt.Errorf(fatal+"There are kubelets in this cluster that are too old: %s", n)
		}
	}
	return nil
}

func (s *session) nodeVersions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, n := range s.list("nodes", "") {
		list = append(list, text(n, "status", "nodeInfo", "kubeletVersion"))
	}
	return list
}

// repository is where the cluster's images come from.
func (a *adminCall) repository(s *session) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c clusterConfig
	err := yaml.Unmarshal([]byte(text(s.get(key{"configmaps", kubeSystem, "kubeadm-config"}), "data", "ClusterConfiguration")), &c)
	return c.ImageRepository, err
}

// setVersion writes the cluster's version where joins read it.
func (s *session) setVersion(v string) error {
	k := key{"configmaps", kubeSystem, "kubeadm-config"}
	o := clone(s.get(k))
	data := child(o, "data")
	var c object
	if err := yaml.Unmarshal([]byte(text(o, "data", "ClusterConfiguration")), &c); err != nil {
		return err
	}
	c["kubernetesVersion"] = v
	out, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	data["ClusterConfiguration"], data["version"] = string(out), v
	return s.put(k, o)
}

// upgradeNode brings this node to the version that the cluster has by now.
func (a *adminCall) upgradeNode() error {
	control := a.exists(manifestDir + "/kube-apiserver.yaml")
	conf := "/etc/kubernetes/kubelet.conf"
	if control {
		conf = ""
	}
	s, _, err := a.cluster(conf)
	if err != nil {
		return err
	}
	s.mu.Lock()
	v := text(s.get(key{"configmaps", kubeSystem, "kubeadm-config"}), "data", "version")
	kubelet := text(s.get(key{"configmaps", kubeSystem, "kubelet-config"}), "data", "kubelet")
	s.mu.Unlock()
	if err := a.checkVersion(v); err != nil {
		return err
	}
	if control {
		repository, err := a.repository(s)
		if err != nil {
			return err
		}
		if err := a.upgradePods(s, repository, v); err != nil {
			return err
		}
	}
	a.p.Printf("[upgrade] Writing kubelet configuration to file %q\n", kubeletConf)
	var config, own object
	old, err := a.p.FS().ReadFile(vfs.Root(), kubeletConf)
	if err := errors.Join(err, yaml.Unmarshal([]byte(kubelet), &config), yaml.Unmarshal([]byte(old), &own)); err != nil {
		return err
	}
	config["containerRuntimeEndpoint"] = own["containerRuntimeEndpoint"]
	out, err := yaml.Marshal(config)
	if err != nil {
		return err
	}
	if err := a.write(kubeletConf, string(out), false); err != nil {
		return err
	}
	a.p.Print("[upgrade] The configuration for this node was successfully updated!\n[upgrade] Now you should go ahead and upgrade the kubelet package using your package manager.\n")
	return nil
}

// upgradePods renews the certificates of this control plane and gives its static pods the images of a version; it
// returns when the API server of that version answers.
func (a *adminCall) upgradePods(s *session, repository, v string) error {
	name := strings.ToLower(a.p.Machine().Hostname())
	if err := a.renew("all", leaves(name)); err != nil {
		return err
	}
	list := kubeImages(repository, v)
	images := map[string]string{"kube-apiserver": list[0], "kube-controller-manager": list[1], "kube-scheduler": list[2], "etcd": list[len(list)-1]}
	for _, part := range []string{"etcd", "kube-controller-manager", "kube-scheduler", "kube-apiserver"} {
		if part == "etcd" && !a.exists(path.Join(manifestDir, "etcd.yaml")) {
			continue // it is on machines of its own
		}
		if err := a.setImage(path.Join(manifestDir, part+".yaml"), images[part]); err != nil {
			return err
		}
		s.mu.Lock()
		k := key{"pods", kubeSystem, part + "-" + name}
		var err error
		if p := s.get(k); p != nil {
			p = clone(p)
			child(p, "spec")["containers"] = []any{object{"name": part, "image": images[part]}}
			err = s.put(k, p)
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
		a.p.Printf("[upgrade/staticpods] Component %q upgraded successfully!\n", part)
	}
	state := kubeletStateOf(a.p.Kernel)
	if !a.poll("", func() bool {
		api := state.server()
		return api != nil && api.version == v
	}) {
		return errors.New("couldn't upgrade control plane. kubeadm has tried to recover everything into the earlier state. Errors faced: timed out waiting for the condition")
	}
	return nil
}

// setImage changes the image in a static pod's manifest.
func (a *adminCall) setImage(manifest, image string) error {
	content, err := a.p.FS().ReadFile(vfs.Root(), manifest)
	if err != nil {
		return err
	}
	var pod object
	if err := yaml.Unmarshal([]byte(content), &pod); err != nil {
		return err
	}
	for _, c := range items(pod, "spec", "containers") {
		c.(object)["image"] = image //nolint:forcetypeassert // the model has made it
	}
	out, err := yaml.Marshal(pod)
	if err != nil {
		return err
	}
	return a.write(manifest, string(out), true)
}
