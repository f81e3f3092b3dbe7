package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

const (
	containerdConfig = "/etc/containerd/config.toml"
	containerdSocket = "/run/containerd/containerd.sock"
)

func containerd(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "c,config: l,log-level: v,version", option.GNU)
	if !ok {
		return 1
	}
	v := version(p, "2.2.1")
	major, _ := strconv.Atoi(v[:1])
	file := o.Or("c", containerdConfig)
	switch {
	case o.Has("v"):
		if major < 2 {
			p.Printf("containerd github.com/containerd/containerd %s simulated\n", v)
		} else {
			p.Printf("containerd github.com/containerd/containerd/v2 v%s simulated\n", v)
		}
		return 0
	case len(o.Args) == 0:
		return daemon(ctx, p, file, v, major)
	case len(o.Args) == 2 && o.Args[0] == "config" && o.Args[1] == "default":
		p.Print(defaults(v, major).print())
		return 0
	case len(o.Args) == 2 && o.Args[0] == "config" && o.Args[1] == "dump":
		s, err := effective(p.FS(), p.Cred, file, v, major)
		if err != nil {
			return p.Fail(1, "%v", err)
		}
		p.Print(s.print())
		return 0
	}
	return p.Fail(1, "No help topic for '%s' (or the simulator's model does not have it)", strings.Join(o.Args, " "))
}

// daemon serves until it is stopped.
func daemon(ctx context.Context, p *guest.Process, file, v string, major int) int {
	if p.Cred.UID != 0 {
		return p.Fail(1, "mkdir /var/lib/containerd: permission denied")
	}
	s, err := effective(p.FS(), p.Cred, file, v, major)
	if err != nil {
		return p.Fail(1, "%v", err)
	}
	rt := runtimesOf(p.Kernel)
	if rt.at(containerdSocket).running {
		return p.Fail(1, `failed to listen on "%s": another containerd serves there`, containerdSocket)
	}
	root := vfs.Root()
	if err := errors.Join(p.FS().MkdirAll(root, "/run/containerd", 0o755), p.FS().MkdirAll(root, "/var/lib/containerd", 0o700), p.FS().MkdirAll(root, registryConfig, 0o755),
		p.FS().WriteFile(root, containerdSocket, "", 0o660)); err != nil {
		return p.Fail(1, "failed to get listener for main ttrpc endpoint: %v", err)
	}
	rt.set(containerdSocket, runtimeFrom(s, v, major))
	defer func() {
		rt.set(containerdSocket, runtime{})
		p.FS().Remove(root, containerdSocket) //nolint:errcheck // /run goes with the boot
	}()
	p.Errorf(`time="%s" level=info msg="containerd successfully booted in 0.03s (simulated)"`, p.Kernel.Clock().Format("2006-01-02T15:04:05Z"))
	p.Ready()
	<-ctx.Done()
	return 0
}

// criPlugins are the tables of the settings that matter, which containerd 2 split and renamed
// (https://github.com/containerd/containerd/blob/main/docs/cri/config.md).
func criPlugins(major int) (runtimeTable, imagesTable, cniTable string) {
	if major < 2 {
		const cri = "plugins/io.containerd.grpc.v1.cri"
		return cri, cri, cri + "/cni"
	}
	const rt = "plugins/io.containerd.cri.v1.runtime"
	return rt, "plugins/io.containerd.cri.v1.images/pinned_images", rt + "/cni"
}

func runtimeFrom(s settings, v string, major int) runtime {
	rt, images, cni := criPlugins(major)
	r := runtime{name: "containerd", running: true, version: v, cri: true, images: containerdImages(registryConfig), confDir: s[cni]["conf_dir"]}
	for _, name := range words(s[""]["disabled_plugins"]) {
		if name == "cri" || strings.HasPrefix(name, "io.containerd.grpc.v1.cri") || strings.HasPrefix(name, "io.containerd.cri.v1.runtime") {
			r.cri = false
		}
	}
	r.systemdCgroup = s[rt+"/containerd/runtimes/runc/options"]["SystemdCgroup"] == "true"
	if r.sandbox = s[images]["sandbox_image"]; major >= 2 {
		r.sandbox = s[images]["sandbox"]
	}
	if r.binDirs = words(s[cni]["bin_dirs"]); len(r.binDirs) == 0 {
		r.binDirs = []string{s[cni]["bin_dir"]}
	}
	return r
}

// words are the strings of a TOML array.
func words(array string) []string {
	var list []string
	for w := range strings.SplitSeq(strings.Trim(array, "[]"), ",") {
		if w = strings.Trim(strings.TrimSpace(w), `"'`); w != "" {
			list = append(list, w)
		}
	}
	return list
}

// defaults are the settings of containerd without a file, as far as anybody looks at them.
func defaults(v string, major int) settings {
	rt, images, cni := criPlugins(major)
	s := settings{}
	s.set("", "root", "/var/lib/containerd")
	s.set("", "state", "/run/containerd")
	s.set("", "disabled_plugins", "[]")
	s.set("grpc", "address", containerdSocket)
	s.set(cni, "conf_dir", "/etc/cni/net.d")
	s.set(rt, "restrict_oom_score_adj", "false")
	s.set(rt+"/containerd", "default_runtime_name", "runc")
	s.set(rt+"/containerd/runtimes/runc", "runtime_type", "io.containerd.runc.v2")
	s.set(rt+"/containerd/runtimes/runc/options", "SystemdCgroup", "false")
	switch {
	case major < 2:
		s.set("", "version", "2")
		s.set(images, "sandbox_image", "registry.k8s.io/pause:3.8")
		s.set(rt+"/registry", "config_path", "")
	default:
		s.set("", "version", "3")
		s.set(images, "sandbox", "registry.k8s.io/pause:3.10.1")
		s.set("plugins/io.containerd.cri.v1.images/registry", "config_path", "/etc/containerd/certs.d:/etc/docker/certs.d")
	}
	if major >= 2 && !strings.HasPrefix(v, "2.0.") { // renamed in 2.1
		s.set(cni, "bin_dirs", "['/opt/cni/bin']")
	} else {
		s.set(cni, "bin_dir", "/opt/cni/bin")
	}
	return s
}

// effective are the defaults with the file on top.
func effective(files *vfs.FS, c vfs.Cred, file, v string, major int) (settings, error) {
	s := defaults(v, major)
	text, err := files.ReadFile(c, file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("failed to load TOML: %s: %s", file, guest.Reason(err))
	}
	own, err := parseTOML(text)
	if err != nil {
		return nil, fmt.Errorf("failed to load TOML: %s: %w", file, err)
	}
	newest := map[bool]int{true: 2, false: 3}[major < 2]
	at, err := strconv.Atoi(own[""]["version"])
	if own[""]["version"] == "" {
		at, err = 1, nil
	}
	switch {
	case err != nil || at > newest:
		return nil, fmt.Errorf("expected containerd config version equal to or less than `%d`, got `%s`", newest, own[""]["version"])
	case at < newest && major >= 2:
		own = migrated(own, v)
	}
	return s.merged(own), nil
}

// migrated turns settings of version 2 into those of version 3, as containerd 2 does when it reads them.
func migrated(own settings, v string) settings {
	oldCRI, _, _ := criPlugins(1)
	rt, images, cni := criPlugins(2)
	out := settings{}
	for table, values := range own {
		for key, value := range values {
			to := table
			if rest, ok := strings.CutPrefix(table, oldCRI); ok {
				switch {
				case rest == "" && key == "sandbox_image":
					to, key = images, "sandbox"
				case strings.HasPrefix(rest, "/registry"):
					to = "plugins/io.containerd.cri.v1.images" + rest
				default:
					to = rt + rest
				}
			}
			if to == cni && key == "bin_dir" && !strings.HasPrefix(v, "2.0.") {
				key, value = "bin_dirs", "['"+value+"']"
			}
			out.set(to, key, value)
		}
	}
	delete(out[""], "version")
	return out
}
