package cluster

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

// adminCall is one call of kubeadm.
type adminCall struct {
	ctx     context.Context
	p       *guest.Process
	version string // of kubeadm, with v
}

const defaultSocket = "unix://" + containerdSocket

func kubeadm(ctx context.Context, p *guest.Process) int {
	a := &adminCall{ctx: ctx, p: p, version: "v" + version(p, "1.36.3")}
	args := append(p.Args[1:len(p.Args):len(p.Args)], "")
	rest := args[1:]
	rest = rest[:max(len(rest)-1, 0)]
	switch args[0] {
	case "version":
		return a.printVersion(rest)
	case "config":
		return a.config(rest)
	case "init":
		if len(rest) > 0 && rest[0] == "phase" {
			return a.initPhase(rest[1:])
		}
		return a.init(rest)
	case "join":
		return a.join(rest)
	case "token":
		return a.token(rest)
	case "reset":
		return a.reset(rest)
	case "certs":
		return a.certs(rest)
	case "upgrade":
		return a.upgrade(rest)
	case "", "--help", "-h", "help":
		p.Print("    KUBEADM (simulated)\n    Easily bootstrap a secure Kubernetes cluster\n\nCommands in the simulator's model: certs, config, init, join, reset, token, upgrade, version\n")
		return 0
	}
	return a.fail(fmt.Errorf("unknown command %q for \"kubeadm\" (or one that the simulator's model does not have)", args[0]))
}

// fail prints an error as kubeadm does.
func (a *adminCall) fail(err error) int {
	a.p.Errorf("error: %v\nTo see the stack trace of this error execute with --v=5 or higher", err)
	return 1
}

// phaseFailed prints the error of a phase.
func (a *adminCall) phaseFailed(phase string, err error) int {
	a.p.Errorf("error: error execution phase %s: %v\nTo see the stack trace of this error execute with --v=5 or higher", phase, err)
	return 1
}

// options reads the flags of a command; the flags that every command has are added.
func (a *adminCall) options(command string, args []string, spec string) (option.Set, bool) {
	return option.ParseArgs(a.p, "kubeadm "+command, args, spec+" v:", option.GNU)
}

func (a *adminCall) printVersion(args []string) int {
	o, ok := a.options("version", args, "o,output:")
	if !ok {
		return 1
	}
	if o.Value("o") != "short" {
		return a.fail(fmt.Errorf("not simulated: output format %q", o.Value("o")))
	}
	a.p.Print(a.version + "\n")
	return 0
}

// minorOf reads v1.36.3.
func minorOf(version string) (major, minor int) {
	f := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(f) >= 2 {
		major, _ = strconv.Atoi(f[0])
		minor, _ = strconv.Atoi(f[1])
	}
	return major, minor
}

// checkVersion is what kubeadm says of the version of Kubernetes that it is asked for.
func (a *adminCall) checkVersion(v string) error {
	f := strings.Split(strings.TrimPrefix(v, "v"), ".")
	major, minor := minorOf(v)
	if len(f) != 3 || major == 0 {
		return fmt.Errorf("could not fetch a Kubernetes version: version %q doesn't match patterns for neither semantic version nor labels (stable, latest, ...)", v)
	}
	_, own := minorOf(a.version)
	switch {
	case minor > own:
		return fmt.Errorf("the requested version %q is higher than this kubeadm's version %q: the Kubernetes version must not be newer than kubeadm", v, a.version)
	case minor < own-1:
		return fmt.Errorf("this version of kubeadm only supports deploying clusters with the control plane version >= %d.%d.0. Current version: %s", major, own-1, v)
	}
	return nil
}

// kubeImages are the images of a version. The versions beside Kubernetes' own are those of
// https://github.com/kubernetes/kubernetes/blob/master/cmd/kubeadm/app/constants/constants.go as of 1.33, 1.34 and 1.35.
func kubeImages(repository, v string) []string {
	if repository == "" {
		repository = "registry.k8s.io"
	}
	var list []string
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"} {
		list = append(list, repository+"/"+name+":"+v)
	}
	coredns, pause, etcd := "v1.13.1", "3.10.1", "3.6.6-0"
	switch _, minor := minorOf(v); {
	case minor <= 33:
		coredns, pause, etcd = "v1.12.0", "3.10", "3.5.24-0"
	case minor == 34:
		coredns, etcd = "v1.12.1", "3.6.5-0"
	}
	dns := repository + "/coredns/coredns:" + coredns
	if repository != "registry.k8s.io" {
		dns = repository + "/coredns:" + coredns
	}
	return append(list, dns, repository+"/pause:"+pause, repository+"/etcd:"+etcd)
}

func (a *adminCall) config(args []string) int {
	words := append(args[:len(args):len(args)], "", "")
	verb := words[0] + " " + words[1]
	if len(args) < 2 {
		return a.fail(fmt.Errorf("missing subcommand; \"config\" is not meant to be run on its own"))
	}
	o, ok := a.options("config "+verb, args[2:], "config: kubernetes-version: image-repository: cri-socket: o,experimental-output,output:")
	if !ok {
		return 1
	}
	if words[0] == "validate" || args[0] == "validate" {
		o, ok := a.options("config validate", args[1:], "config:")
		if !ok {
			return 1
		}
		if _, err := a.readConfig(o.Value("config")); err != nil {
			return a.fail(err)
		}
		a.p.Print("ok\n")
		return 0
	}
	v, repository := o.Or("kubernetes-version", a.version), o.Value("image-repository")
	if file := o.Value("config"); file != "" {
		c, err := a.readConfig(file)
		if err != nil {
			return a.fail(err)
		}
		if c.cluster.KubernetesVersion != "" {
			v = c.cluster.KubernetesVersion
		}
		repository = c.cluster.ImageRepository
	}
	if !strings.HasPrefix(v, "v") {
		v = "v" + v
	}
	switch verb {
	case "images list":
		if err := a.checkVersion(v); err != nil {
			return a.fail(err)
		}
		a.p.Print(strings.Join(kubeImages(repository, v), "\n") + "\n")
		return 0
	case "images pull":
		if err := a.checkVersion(v); err != nil {
			return a.fail(err)
		}
		return a.pullImages(o.Or("cri-socket", defaultSocket), repository, v)
	}
	return a.fail(fmt.Errorf("\"config %s\" is not in the simulator's model", verb))
}

func (a *adminCall) pullImages(socket, repository, v string) int {
	if err := a.runtimeError(socket); err != nil {
		return a.fail(err)
	}
	for _, image := range kubeImages(repository, v) {
		if err := pull(a.ctx, a.p.Machine(), runtimesOf(a.p.Kernel).at(socket).images, image); err != nil {
			return a.fail(fmt.Errorf("failed to pull image %q: failed to pull image %s: %w", image, image, err))
		}
		a.p.Printf("[config/images] Pulled %s\n", image)
	}
	return 0
}

func (a *adminCall) runtimeError(socket string) error {
	if a.p.Cred.UID != 0 {
		return fmt.Errorf("could not connect to the container runtime: failed to create new CRI runtime service: dial unix %s: connect: permission denied", containerdSocket)
	}
	if err := runtimesOf(a.p.Kernel).available(socket); err != nil {
		return fmt.Errorf("could not connect to the container runtime: failed to create new CRI runtime service: %w", err)
	}
	return nil
}

// systemctl runs systemctl as kubeadm does.
func (a *adminCall) systemctl(args ...string) bool {
	_, code := a.p.Capture(append([]string{"systemctl"}, args...)...)
	return code == 0
}

// exists reports whether a file is there.
func (a *adminCall) exists(path string) bool {
	_, err := a.p.FS().Stat(vfs.Root(), path)
	return err == nil
}
