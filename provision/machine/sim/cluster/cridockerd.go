package cluster

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

const (
	dockerSocket = "/run/docker.sock"
	dockerConfig = "/etc/docker/daemon.json"
)

// dockerStore is where the Docker engine's images lie; the kubelet's and those of `docker pull` are the same.
func dockerStore() imageStore {
	return imageStore{list: "/var/lib/docker/simulated-images", mirror: DockerMirror}
}

// criDockerd stands between the kubelet and the Docker engine.
func criDockerd(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "version container-runtime-endpoint: network-plugin: pod-infra-container-image: cni-bin-dir: cni-conf-dir:", option.GNU)
	if !ok {
		return 1
	}
	if o.Has("version") {
		p.Printf("cri-dockerd %s (simulated)\n", version(p, "0.4.10"))
		return 0
	}
	server, err := p.FS().ReadFile(vfs.Root(), dockerSocket)
	if err != nil {
		return p.Fail(1, `level=fatal msg="failed to get docker version from dockerd: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"`)
	}
	endpoint := o.Or("container-runtime-endpoint", "unix:///run/cri-dockerd.sock")
	socket, root := socketPath(endpoint), vfs.Root()
	if err := p.FS().WriteFile(root, socket, "", 0o660); err != nil {
		return p.Fail(1, `level=fatal msg="%v"`, err)
	}
	all := runtimesOf(p.Kernel)
	all.set(socket, runtime{
		name: "docker", running: true, version: strings.TrimSpace(strings.TrimPrefix(server, "version=")), cri: true,
		systemdCgroup: DockerCgroupDriver(p.Machine()) == "systemd",
		confDir:       o.Or("cni-conf-dir", "/etc/cni/net.d"), binDirs: []string{o.Or("cni-bin-dir", "/opt/cni/bin")},
		sandbox: o.Or("pod-infra-container-image", "registry.k8s.io/pause:3.10"),
		images:  dockerStore(),
	})
	defer func() {
		all.set(socket, runtime{})
		p.FS().Remove(root, socket) //nolint:errcheck // /run goes with the boot
	}()
	p.Ready()
	<-ctx.Done()
	return 0
}

// daemonJSON is what the models read of Docker's daemon.json.
type daemonJSON struct {
	ExecOpts []string `json:"exec-opts"`
	Mirrors  []string `json:"registry-mirrors"`
}

func readDaemonJSON(m *guest.Machine) daemonJSON {
	var d daemonJSON
	if text, err := m.FS.ReadFile(vfs.Root(), dockerConfig); err == nil {
		json.Unmarshal([]byte(text), &d) //nolint:errcheck // dockerd has refused what cannot be read
	}
	return d
}

// DockerCgroupDriver is the engine's cgroup driver; on cgroup v2 systemd is its default.
func DockerCgroupDriver(m *guest.Machine) string {
	if slices.Contains(readDaemonJSON(m).ExecOpts, "native.cgroupdriver=cgroupfs") {
		return "cgroupfs"
	}
	return "systemd"
}

// DockerMirror is the engine's mirror of a registry: it has some for docker.io only.
func DockerMirror(m *guest.Machine, registry string) string {
	if mirrors := readDaemonJSON(m).Mirrors; registry == "docker.io" && len(mirrors) > 0 {
		return mirrors[0]
	}
	return ""
}

// DockerPull is `docker pull`.
func DockerPull(ctx context.Context, m *guest.Machine, ref string) error {
	return pull(ctx, m, dockerStore(), ref)
}

// DockerImages lists the engine's images by their full names.
func DockerImages(m *guest.Machine) []string { return dockerStore().all(m) }

// DockerTag is `docker tag`: an image that is there gets another full name.
func DockerTag(m *guest.Machine, ref string) error { return dockerStore().add(m, ref) }

// DockerUntag is `docker rmi`: an image loses its full name.
func DockerUntag(m *guest.Machine, ref string) error { return dockerStore().remove(m, ref) }

// DockerImage is the full name of an image, as DockerImages lists it.
func DockerImage(ref string) string { return canonical(ref) }
