package service

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"podium/provision/machine/sim/cluster"
	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

const dockerSocket = "/run/docker.sock"

func dockerd(ctx context.Context, p *guest.Process) int {
	for _, a := range p.Args[1:] {
		if a == "--version" || a == "-v" {
			p.Printf("Docker version %s, build simulated\n", p.Version)
			return 0
		}
	}
	fs, root := p.FS(), vfs.Root()
	config := map[string]any{}
	if text, err := fs.ReadFile(root, "/etc/docker/daemon.json"); err == nil && strings.TrimSpace(text) != "" {
		if err := json.Unmarshal([]byte(text), &config); err != nil {
			p.Errorf("unable to configure the Docker daemon with file /etc/docker/daemon.json: %v", err)
			return 1
		}
		for key := range config {
			if !slices.Contains(dockerKeys(), key) {
				p.Errorf("unable to configure the Docker daemon with file /etc/docker/daemon.json: the following directives don't match any configuration option: %s", key)
				return 1
			}
		}
	}
	if !cluster.ContainerdRuns(p.Kernel) {
		p.Errorf("failed to start daemon: failed to dial \"/run/containerd/containerd.sock\": connection error")
		return 1
	}
	mode := vfs.Cred{}
	err := fs.WriteFile(mode, dockerSocket, "version="+p.Version+"\n", 0o660)
	if g, ok := p.Machine().FindGroup("docker"); ok && err == nil {
		err = fs.Chown(root, dockerSocket, 0, int(g.GID), true)
	}
	if err != nil {
		p.Errorf("failed to load listeners: %s", guest.Reason(err))
		return 1
	}
	p.Kernel.SetSysctl("net.ipv4.ip_forward", "1")
	p.Ready()
	<-ctx.Done()
	fs.Remove(root, dockerSocket) //nolint:errcheck // gone with the machine
	return 0
}

// dockerKeys are settings of daemon.json.
func dockerKeys() []string {
	return strings.Fields("log-driver log-opts registry-mirrors insecure-registries exec-opts storage-driver data-root live-restore default-address-pools bip dns " +
		"iptables ip-forward hosts debug features experimental metrics-addr group labels mtu userland-proxy default-ulimits containerd runtimes default-runtime proxies builder max-concurrent-downloads")
}

func docker(ctx context.Context, p *guest.Process) int {
	args := p.Args[1:]
	if len(args) == 0 {
		p.Print("Usage:  docker [OPTIONS] COMMAND (simulated)\n")
		return 0
	}
	if args[0] == "--version" || args[0] == "-v" {
		p.Printf("Docker version %s, build simulated\n", p.Version)
		return 0
	}
	if plugin := args[0]; plugin == "compose" || plugin == "buildx" {
		for _, dir := range []string{"/usr/libexec/docker/cli-plugins/", "/usr/lib/docker/cli-plugins/", "/usr/local/lib/docker/cli-plugins/"} {
			if text, err := p.FS().ReadFile(vfs.Root(), dir+"docker-"+plugin); err == nil {
				_, v, _ := guest.ProgramOf(text)
				if len(args) > 1 && args[1] == "version" {
					p.Printf("%s version v%s (simulated)\n", map[string]string{"compose": "Docker Compose", "buildx": "github.com/docker/buildx"}[plugin], v)
					return 0
				}
				return p.Fail(1, "the simulator's model has only: docker %s version", plugin)
			}
		}
		p.Errorf("docker: '%s' is not a docker command.\nSee 'docker --help'", plugin)
		return 1
	}
	state, err := p.FS().ReadFile(p.Cred, dockerSocket)
	if err != nil {
		if _, e := p.FS().Stat(vfs.Root(), dockerSocket); e == nil {
			p.Errorf("permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock")
			return 1
		}
		p.Errorf("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
		return 1
	}
	server := strings.TrimSpace(strings.TrimPrefix(state, "version="))
	o, ok := option.ParseArgs(p, "docker "+args[0], args[1:], "f,format: q,quiet a,all d,detach no-prune", option.First)
	if !ok {
		return 125
	}
	return dockerCommand(ctx, p, args[0], o, server)
}

func dockerCommand(ctx context.Context, p *guest.Process, verb string, o option.Set, server string) int {
	switch verb {
	case "version":
		switch f := o.Value("f"); f {
		case "{{.Server.Version}}":
			p.Print(server + "\n")
		default:
			return p.Fail(1, "the simulator's model does not know the format %s", f)
		}
	case "info":
		switch f := o.Value("f"); f {
		case "":
			p.Printf("Server:\n Server Version: %s (simulated)\n Cgroup Driver: %s\n", server, cluster.DockerCgroupDriver(p.Machine()))
		case "{{.ServerVersion}}":
			p.Print(server + "\n")
		case "{{.CgroupDriver}}":
			p.Print(cluster.DockerCgroupDriver(p.Machine()) + "\n")
		default:
			return p.Fail(1, "the simulator's model does not know the format %s", f)
		}
	case "pull":
		if len(o.Args) == 0 {
			return p.Fail(1, "\"docker pull\" requires exactly 1 argument.")
		}
		return dockerPull(ctx, p, o.Args[0])
	case "run":
		if len(o.Args) == 0 {
			return p.Fail(125, "\"docker run\" requires at least 1 argument.")
		}
		if code := dockerPull(ctx, p, o.Args[0]); code != 0 {
			return 125
		}
		if strings.HasPrefix(o.Args[0], "hello-world") {
			p.Print("\nHello from Docker! (simulated)\nThis message shows that your installation appears to be working correctly.\n")
			return 0
		}
		if o.Has("d") {
			p.Print("simulated\n")
			return 0
		}
		p.Errorf("docker: the simulator cannot run what is inside of %s", o.Args[0])
		return 127
	case "images":
		if !o.Has("q") {
			p.Print("REPOSITORY TAG IMAGE ID CREATED SIZE\n")
		}
		for _, ref := range cluster.DockerImages(p.Machine()) {
			p.Print(ref + "\n")
		}
	case "tag", "rmi":
		return dockerNames(p, verb, o.Args)
	case "image":
		if len(o.Args) > 0 && o.Args[0] == "inspect" {
			return dockerInspect(p, o.Args[1:])
		}
	case "ps", "network", "volume", "login", "logout", "stop", "rm", "system", "container":
	default:
		p.Errorf("docker: '%s' is not a docker command the simulator's model has.", verb)
		return 1
	}
	return 0
}

func dockerPull(ctx context.Context, p *guest.Process, ref string) int {
	m := p.Machine()
	if slices.Contains(cluster.DockerImages(m), cluster.DockerImage(ref)) {
		return 0
	}
	if err := cluster.DockerPull(ctx, m, ref); err != nil {
		p.Errorf("Error response from daemon: %v", err)
		return 1
	}
	p.Printf("Status: Downloaded newer image for %s (simulated)\n", ref)
	return 0
}

// dockerNames has the images that the engine knows by other names: docker tag and docker rmi.
func dockerNames(p *guest.Process, verb string, args []string) int {
	if want := map[string]int{"tag": 2, "rmi": 1}[verb]; len(args) != want {
		return p.Fail(1, "docker %s: %d arguments are needed", verb, want)
	}
	m, from := p.Machine(), cluster.DockerImage(args[0])
	if !slices.Contains(cluster.DockerImages(m), from) {
		return p.Fail(1, "Error response from daemon: No such image: %s", args[0])
	}
	var err error
	if verb == "tag" {
		err = cluster.DockerTag(m, cluster.DockerImage(args[1]))
	} else {
		err = cluster.DockerUntag(m, from)
		p.Print("Untagged: " + args[0] + "\n")
	}
	if err != nil {
		return p.Fail(1, "Error response from daemon: %s", guest.Reason(err))
	}
	return 0
}

// dockerInspect is `docker image inspect`.
func dockerInspect(p *guest.Process, args []string) int {
	for _, ref := range args {
		if !slices.Contains(cluster.DockerImages(p.Machine()), cluster.DockerImage(ref)) {
			p.Print("[]\n")
			return p.Fail(1, "Error response from daemon: No such image: %s", ref)
		}
	}
	p.Printf("[{\"RepoTags\": [%q]}]\n", strings.Join(args, `", "`))
	return 0
}
