package service

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

const (
	containerdSocket = "/run/containerd/containerd.sock"
	containerdConfig = "/etc/containerd/config.toml"
	imageFile        = "/var/lib/containerd/simulated-images"
)

// Runtime is what the container runtime of a node is like.
type Runtime struct {
	Running       bool
	CRI           bool // the kubelet's interface is enabled
	SystemdCgroup bool
	Version       string
}

// RuntimeOf tells how containerd is on a running node. Its settings are those it was started with.
func RuntimeOf(k *guest.Kernel) Runtime {
	text, err := k.Machine.FS.ReadFile(vfs.Root(), containerdSocket)
	if err != nil {
		return Runtime{}
	}
	r := Runtime{Running: true}
	for line := range strings.Lines(text) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), "="); key {
		case "cri":
			r.CRI = value == "true"
		case "systemd":
			r.SystemdCgroup = value == "true"
		case "version":
			r.Version = value
		}
	}
	return r
}

// toml is a file of TOML as far as containerd's needs reading: values by "section.key", sections without quotes.
type toml map[string]string

func parseTOML(text string) (toml, error) {
	t := toml{}
	section := ""
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '[' {
			if !strings.HasSuffix(line, "]") || strings.Count(line, `"`)%2 != 0 || strings.Count(line, "'")%2 != 0 {
				return nil, fmt.Errorf("(%d, 1): parsing error: unclosed table key", n)
			}
			section = strings.NewReplacer(`"`, "", "'", "").Replace(strings.Trim(line, "[]")) + "."
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("(%d, 1): parsing error: was expecting token =", n)
		}
		value = strings.TrimSpace(value)
		if value == "" || strings.Count(value, `"`)%2 != 0 || strings.Count(value, "'")%2 != 0 || strings.Count(value, "[") != strings.Count(value, "]") {
			return nil, fmt.Errorf("(%d, 1): parsing error: invalid value %s", n, value)
		}
		t[section+strings.Trim(strings.TrimSpace(key), `"'`)] = strings.Trim(value, `"'`)
	}
	return t, nil
}

// settings are those of containerd's file that matter, whichever version of the format it has.
type settings struct {
	disabledCRI, systemdCgroup bool
	sandbox                    string
	raw                        string
}

func readConfig(p *guest.Process, major int) (settings, error) {
	text, err := p.FS().ReadFile(vfs.Root(), containerdConfig)
	if err != nil {
		return settings{}, nil // its defaults
	}
	t, err := parseTOML(text)
	if err != nil {
		return settings{}, fmt.Errorf("containerd: failed to load TOML: %s: %w", containerdConfig, err)
	}
	format := t["version"]
	if format == "" {
		format = "1"
	}
	if format > "2" && major < 2 {
		return settings{}, fmt.Errorf("containerd: unsupported config version `%s`", format)
	}
	s := settings{raw: text, disabledCRI: strings.Contains(t["disabled_plugins"], "cri")}
	runtime, images := "plugins.io.containerd.grpc.v1.cri.", "plugins.io.containerd.grpc.v1.cri.sandbox_image"
	if format == "3" {
		runtime, images = "plugins.io.containerd.cri.v1.runtime.", "plugins.io.containerd.cri.v1.images.pinned_images.sandbox"
	}
	s.systemdCgroup = t[runtime+"containerd.runtimes.runc.options.SystemdCgroup"] == "true"
	s.sandbox = t[images]
	return s, nil
}

func major(version string) int {
	if strings.HasPrefix(version, "1.") {
		return 1
	}
	return 2
}

func containerd(ctx context.Context, p *guest.Process) int {
	args := p.Args[1:]
	if len(args) > 0 {
		switch args[0] {
		case "--version", "-v":
			if major(p.Version) > 1 {
				p.Printf("containerd containerd.io v%s simulated\n", p.Version)
			} else {
				p.Printf("containerd github.com/containerd/containerd %s simulated\n", strings.Split(p.Version, "~ds")[0]+suffix(p.Version))
			}
			return 0
		case "config":
			return containerdConfigCommand(p, args[1:])
		}
	}
	s, err := readConfig(p, major(p.Version))
	if err != nil {
		p.Errorf("%v", err)
		return 1
	}
	files, root := p.FS(), vfs.Root()
	files.MkdirAll(root, "/run/containerd", 0o711)         //nolint:errcheck // the next line tells
	files.MkdirAll(root, "/var/lib/containerd", 0o711)     //nolint:errcheck
	files.MkdirAll(root, "/etc/containerd/certs.d", 0o755) //nolint:errcheck
	state := fmt.Sprintf("cri=%v\nsystemd=%v\nversion=%s\nsandbox=%s\n", !s.disabledCRI, s.systemdCgroup, p.Version, s.sandbox)
	if err := files.WriteFile(root, containerdSocket, state, 0o660); err != nil {
		p.Errorf("containerd: %s", guest.Reason(err))
		return 1
	}
	p.Ready()
	<-ctx.Done()
	files.Remove(root, containerdSocket) //nolint:errcheck // gone with the machine
	return 0
}

// suffix keeps what Debian adds to a version.
func suffix(v string) string {
	if i := strings.Index(v, "~ds"); i >= 0 {
		return v[i:]
	}
	return ""
}

func containerdConfigCommand(p *guest.Process, args []string) int {
	if len(args) == 0 {
		return p.Fail(1, "config: missing subcommand")
	}
	switch args[0] {
	case "default":
		p.Print(defaultConfig(major(p.Version), false, ""))
		return 0
	case "dump":
		s, err := readConfig(p, major(p.Version))
		if err != nil {
			p.Errorf("%v", err)
			return 1
		}
		p.Print(defaultConfig(major(p.Version), s.systemdCgroup, s.sandbox))
		return 0
	}
	return p.Fail(1, "config: the simulator's model has only default and dump")
}

func defaultConfig(major int, systemd bool, sandbox string) string {
	if sandbox == "" {
		sandbox = map[int]string{1: "registry.k8s.io/pause:3.8", 2: "registry.k8s.io/pause:3.10.1"}[major]
	}
	if major == 1 {
		return fmt.Sprintf(`version = 2
disabled_plugins = []

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    sandbox_image = "%s"
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/opt/cni/bin"
      conf_dir = "/etc/cni/net.d"
    [plugins."io.containerd.grpc.v1.cri".containerd]
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
        runtime_type = "io.containerd.runc.v2"
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
          SystemdCgroup = %v
`, sandbox, systemd)
	}
	return fmt.Sprintf(`version = 3
disabled_plugins = []

[plugins]
  [plugins.'io.containerd.cri.v1.images']
    [plugins.'io.containerd.cri.v1.images'.pinned_images]
      sandbox = '%s'
  [plugins.'io.containerd.cri.v1.runtime']
    [plugins.'io.containerd.cri.v1.runtime'.cni]
      bin_dirs = ['/opt/cni/bin']
      conf_dir = '/etc/cni/net.d'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = 'io.containerd.runc.v2'
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        SystemdCgroup = %v
`, sandbox, systemd)
}

// Images lists the images of a node.
func Images(m *guest.Machine) []string {
	text, err := m.FS.ReadFile(vfs.Root(), imageFile)
	if err != nil {
		return nil
	}
	return strings.Fields(text)
}

// Pull fetches an image onto the node; the error is worded as containerd words it.
func Pull(ctx context.Context, p *guest.Process, ref string) error {
	if slices.Contains(Images(p.Machine()), ref) {
		return nil
	}
	m := p.Machine()
	host, _, _ := strings.Cut(ref, "/")
	if !strings.ContainsAny(host, ".:") {
		host = "docker.io"
	}
	target := host
	for _, name := range []string{host, "_default"} {
		text, err := m.FS.ReadFile(vfs.Root(), "/etc/containerd/certs.d/"+name+"/hosts.toml")
		if err != nil {
			continue
		}
		if _, rest, ok := strings.Cut(text, "[host.\""); ok {
			u, _, _ := strings.Cut(rest, "\"")
			_, u, _ = strings.Cut(u, "://")
			target, _, _ = strings.Cut(u, "/")
			break
		}
	}
	name, _, _ := strings.Cut(target, ":")
	if err := m.Faults.Download(m, "https://"+ref); err != nil {
		return fmt.Errorf("failed to pull and unpack image \"%s\": %w", ref, err)
	}
	if _, err := m.Net.Dial(ctx, m, name, 443); err != nil {
		return fmt.Errorf("failed to pull and unpack image \"%s\": failed to resolve reference \"%s\": failed to do request: Head \"https://%s/v2/\": dial tcp: %w", ref, ref, target, err)
	}
	if err := m.FS.Occupy(imageSize); err != nil {
		return fmt.Errorf("failed to pull and unpack image \"%s\": write: no space left on device", ref)
	}
	images := append(Images(m), ref)
	slices.Sort(images)
	m.FS.MkdirAll(vfs.Root(), "/var/lib/containerd", 0o711) //nolint:errcheck // the next line tells
	return m.FS.WriteFile(vfs.Root(), imageFile, strings.Join(images, "\n")+"\n", 0o600)
}

const imageSize = 60 << 20 // bytes on disk, about

// ctr is containerd's own client.
func ctr(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,namespace: a,address: timeout: quiet,q hosts-dir: all-platforms platform: plain-http user: version local", option.GNU)
	if !ok {
		return 1
	}
	if o.Has("version") {
		p.Printf("ctr %s (simulated)\n", p.Version)
		return 0
	}
	if !RuntimeOf(p.Kernel).Running {
		p.Errorf("ctr: failed to dial \"/run/containerd/containerd.sock\": context deadline exceeded: connection error: dial unix /run/containerd/containerd.sock: connect: no such file or directory")
		return 1
	}
	if p.Cred.UID != 0 {
		p.Errorf("ctr: failed to dial \"/run/containerd/containerd.sock\": connect: permission denied")
		return 1
	}
	args := o.Args
	if len(args) < 2 || args[0] != "images" && args[0] != "image" && args[0] != "i" {
		if len(args) > 0 && (args[0] == "version" || args[0] == "plugins") {
			return 0
		}
		return p.Fail(1, "the simulator's model has only: ctr images list|pull|import|tag|rm")
	}
	m := p.Machine()
	switch args[1] {
	case "list", "ls":
		if !o.Has("quiet") {
			p.Print("REF TYPE DIGEST SIZE PLATFORMS LABELS\n")
		}
		for _, img := range Images(m) {
			if wanted(img, args[2:]) {
				p.Print(img + "\n")
			}
		}
	case "pull":
		if len(args) != 3 {
			return p.Fail(1, "please provide an image reference to pull")
		}
		if err := Pull(ctx, p, args[2]); err != nil {
			return p.Fail(1, "%v", err)
		}
		p.Print("done\n")
	case "rm", "remove", "delete":
		images := slices.DeleteFunc(Images(m), func(i string) bool { return slices.Contains(args[2:], i) })
		m.FS.WriteFile(vfs.Root(), imageFile, strings.Join(images, "\n")+"\n", 0o600) //nolint:errcheck // smaller than before
	case "import", "tag", "check":
	default:
		return p.Fail(1, "images: the simulator's model has no %s", args[1])
	}
	return 0
}

// wanted applies filters such as name==REF.
func wanted(img string, filters []string) bool {
	for _, f := range filters {
		if name, ok := strings.CutPrefix(f, "name=="); ok && name != img {
			return false
		}
	}
	return true
}

// crictl is the client of the kubelet's interface to a runtime.
func crictl(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "r,runtime-endpoint: i,image-endpoint: t,timeout: quiet,q a,all o,output: version,v creds: name:", option.GNU)
	if !ok {
		return 1
	}
	if o.Has("version") {
		p.Printf("crictl version v%s\n", p.Version)
		return 0
	}
	rt := RuntimeOf(p.Kernel)
	if !rt.Running || !rt.CRI {
		reason := "rpc error: code = Unimplemented desc = unknown service runtime.v1.RuntimeService"
		if !rt.Running {
			reason = "dial unix /run/containerd/containerd.sock: connect: no such file or directory"
		}
		p.Errorf("FATA[0000] validate service connection: validate CRI v1 runtime API for endpoint \"unix:///run/containerd/containerd.sock\": %s", reason)
		return 1
	}
	args := append(o.Args, "")
	switch args[0] {
	case "pull":
		if err := Pull(ctx, p, args[1]); err != nil {
			p.Errorf("E0000 pulling image: %v", err)
			return 1
		}
		p.Printf("Image is up to date for %s\n", args[1])
	case "images", "image", "img":
		for _, img := range Images(p.Machine()) {
			p.Print(img + "\n")
		}
	case "ps", "pods", "info", "version", "stats":
		p.Print("simulated\n")
	default:
		return p.Fail(1, "the simulator's model has no %q", args[0])
	}
	return 0
}
