package cluster

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

const (
	crioSocket     = "/run/crio/crio.sock"
	crioConfigDir  = "/etc/crio/crio.conf.d"
	registriesDir  = "/etc/containers/registries.conf.d"
	crioImagesList = "/var/lib/containers/storage/overlay-images/images"
)

// crio is the daemon of CRI-O, by the settings of its drop-ins
// (https://github.com/cri-o/cri-o/blob/main/docs/crio.conf.5.md).
func crio(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "c,config: v,version", option.GNU)
	if !ok {
		return 1
	}
	v := version(p, "1.36.1")
	if o.Has("v") || len(o.Args) == 1 && o.Args[0] == "version" {
		p.Printf("crio version %s\n   GitTreeState:   simulated\n", v)
		return 0
	}
	if len(o.Args) > 0 {
		return p.Fail(1, "%q is not in the simulator's model of crio", o.Args[0])
	}
	if p.Cred.UID != 0 {
		return p.Fail(1, "crio needs to be run as root")
	}
	s, err := crioSettings(p)
	if err != nil {
		return p.Fail(1, `level=fatal msg="validating root config: %v"`, err)
	}
	all, root := runtimesOf(p.Kernel), vfs.Root()
	if err := errors.Join(p.FS().MkdirAll(root, path.Dir(crioSocket), 0o755), p.FS().MkdirAll(root, path.Dir(crioImagesList), 0o700),
		p.FS().WriteFile(root, crioSocket, "", 0o660)); err != nil {
		return p.Fail(1, `level=fatal msg="failed to listen: %v"`, err)
	}
	all.set(crioSocket, runtime{
		name: "cri-o", running: true, version: v, cri: true,
		systemdCgroup: s["crio/runtime"]["cgroup_manager"] == "systemd",
		confDir:       s["crio/network"]["network_dir"], binDirs: words(s["crio/network"]["plugin_dirs"]), sandbox: s["crio/image"]["pause_image"],
		images: imageStore{list: crioImagesList, mirror: crioMirror},
	})
	defer func() {
		all.set(crioSocket, runtime{})
		p.FS().Remove(root, crioSocket) //nolint:errcheck // /run goes with the boot
	}()
	p.Errorf(`time="%s" level=info msg="Starting CRI-O, version: %s (simulated)"`, p.Kernel.Clock().Format("2006-01-02T15:04:05Z"), v)
	p.Ready()
	<-ctx.Done()
	return 0
}

// crioSettings are the defaults with the drop-ins on top, in the order of their names.
func crioSettings(p *guest.Process) (settings, error) {
	s := settings{}
	s.set("crio/runtime", "cgroup_manager", "systemd")
	s.set("crio/runtime", "default_runtime", "crun")
	s.set("crio/network", "network_dir", "/etc/cni/net.d/")
	s.set("crio/network", "plugin_dirs", "['/opt/cni/bin/']")
	s.set("crio/image", "pause_image", "registry.k8s.io/pause:3.10.1")
	entries, err := p.FS().ReadDir(p.Cred, crioConfigDir)
	if err != nil {
		return s, nil
	}
	for _, e := range entries {
		text, err := p.FS().ReadFile(p.Cred, crioConfigDir+"/"+e.Name())
		if err != nil {
			return nil, err
		}
		own, err := parseTOML(text)
		if err != nil {
			return nil, fmt.Errorf("unable to decode configuration %s/%s: %w", crioConfigDir, e.Name(), err)
		}
		s = s.merged(own)
	}
	name := s["crio/runtime"]["default_runtime"]
	if program := s["crio/runtime/runtimes/"+name]["runtime_path"]; program == "" {
		return nil, fmt.Errorf("default runtime %q has no runtime_path", name)
	} else if _, err := p.FS().Stat(p.Cred, program); err != nil {
		return nil, fmt.Errorf("runtime %q: invalid runtime_path %q: stat %s: no such file or directory", name, program, program)
	}
	return s, nil
}

// crioMirror is the mirror that the drop-ins of registries.conf name for a registry: of the longest prefix that fits
// (https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md).
func crioMirror(m *guest.Machine, registry string) string {
	best, found := "", ""
	for _, r := range registryTables(m) {
		suffix, star := strings.CutPrefix(r.prefix, "*")
		fits := r.prefix == registry || star && strings.HasSuffix(registry, suffix)
		if fits && len(r.prefix) > len(best) {
			best, found = r.prefix, r.mirror
		}
	}
	return found
}

type registryTable struct{ prefix, mirror string }

// registryTables reads [[registry]] and the first [[registry.mirror]] of each.
func registryTables(m *guest.Machine) []registryTable {
	var list []registryTable
	entries, _ := m.FS.ReadDir(vfs.Root(), registriesDir)
	for _, e := range entries {
		text, err := m.FS.ReadFile(vfs.Root(), registriesDir+"/"+e.Name())
		if err != nil {
			continue
		}
		inMirror := false
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			key, value, _ := strings.Cut(line, "=")
			key, value = strings.TrimSpace(key), strings.Trim(strings.TrimSpace(value), `"`)
			last := len(list) - 1
			switch {
			case line == "[[registry]]":
				list, inMirror = append(list, registryTable{}), false
			case line == "[[registry.mirror]]":
				inMirror = true
			case last < 0:
			case key == "prefix" && !inMirror, key == "location" && !inMirror && list[last].prefix == "":
				list[last].prefix = value
			case key == "location" && inMirror:
				list[last].mirror = "https://" + value
			case key == "insecure" && inMirror && value == "true":
				list[last].mirror = "http://" + strings.TrimPrefix(list[last].mirror, "https://")
			}
		}
	}
	return slices.DeleteFunc(list, func(r registryTable) bool { return r.mirror == "" })
}
