package packages

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/systemd"
	"podium/provision/machine/sim/vfs"
)

// unpack puts a package's files on the disk.
func unpack(fs *vfs.FS, p *Package) error {
	put := func(file, text string) error {
		if err := fs.MkdirAll(vfs.Root(), path.Dir(file), 0o755); err != nil {
			return err
		}
		mode := vfs.Cred{}
		if _, _, program := guest.ProgramOf(text); program || strings.HasPrefix(text, "#!") {
			fs.Remove(vfs.Root(), file) //nolint:errcheck // a program that runs is replaced, not written over
			return fs.WriteFile(mode, file, text, 0o755)
		}
		return fs.WriteFile(mode, file, text, 0o644)
	}
	for file, text := range p.Files {
		if err := put(file, text); err != nil {
			return err
		}
	}
	for file, text := range p.Conf {
		if _, err := fs.Stat(vfs.Root(), file); err == nil {
			continue // the administrator's file stays: --force-confold
		}
		if err := put(file, text); err != nil {
			return err
		}
	}
	return fs.WriteFile(vfs.Root(), infoDir+p.Name+".list", fileList(p), 0o644)
}

// accounts makes the users, groups and directories of a package. It also works on an image, where nothing runs.
func accounts(m *guest.Machine, p *Package) error {
	fs := m.FS
	var errs []error
	add := func(file, line string) {
		text, err := fs.ReadFile(vfs.Root(), file)
		errs = append(errs, err, fs.WriteFile(vfs.Root(), file, text+line+"\n", 0o644))
	}
	id := func() int {
		used := map[int]bool{}
		for _, u := range m.Users() {
			used[int(u.UID)] = true
		}
		for _, g := range m.Groups() {
			used[int(g.GID)] = true
		}
		n := 110
		for used[n] {
			n++
		}
		return n
	}
	for _, name := range p.Groups {
		if _, ok := m.FindGroup(name); !ok {
			add("/etc/group", fmt.Sprintf("%s:x:%d:", name, id()))
		}
	}
	for _, name := range p.Users {
		if _, ok := m.FindUser(name); ok {
			continue
		}
		n := id()
		if g, ok := m.FindGroup(name); ok {
			n = int(g.GID)
		} else {
			add("/etc/group", fmt.Sprintf("%s:x:%d:", name, n))
		}
		add("/etc/passwd", fmt.Sprintf("%s:x:%d:%d::/var/lib/%s:%s", name, n, n, name, loginShell(name)))
	}
	for _, spec := range p.Dirs {
		dir, user, _ := strings.Cut(spec, " ")
		errs = append(errs, fs.MkdirAll(vfs.Root(), dir, 0o755))
		if u, ok := m.FindUser(user); ok && user != "" {
			errs = append(errs, fs.Chown(vfs.Root(), dir, int(u.UID), int(u.GID), true))
		}
	}
	return errors.Join(errs...)
}

// configure finishes an installation: accounts, and units enabled and started. What the units say goes to out.
func configure(ctx context.Context, k *guest.Kernel, p *Package, out func(string)) error {
	m := k.Machine
	if err := accounts(m, p); err != nil {
		return err
	}
	sd := systemd.Of(k)
	for _, unit := range p.Units {
		if err := systemd.Enable(m, unit, out); err != nil && systemd.Enabled(m, unit) != "masked" {
			return err
		}
		if systemd.Enabled(m, unit) == "masked" {
			continue
		}
		// A package does not fail because its service does not start, as deb-systemd-invoke with "|| true" has it.
		var err error
		if sd.IsActive(unit) {
			err = sd.Restart(ctx, unit)
		} else {
			err = sd.Start(ctx, unit)
		}
		if err != nil && ctx.Err() == nil {
			out(err.Error())
		}
	}
	return ctx.Err()
}

// remove deletes a package's files and ends its services.
func remove(ctx context.Context, k *guest.Kernel, name string, units []string, purge bool) {
	m := k.Machine
	sd := systemd.Of(k)
	files := listed(m, name)
	for _, file := range files {
		if unit, ok := strings.CutPrefix(file, "/usr/lib/systemd/system/"); ok && !strings.Contains(unit, "/") {
			units = append(units, unit)
		}
	}
	for _, unit := range units {
		sd.Stop(ctx, unit)            //nolint:errcheck // it may not run
		systemd.Disable(m, unit, nil) //nolint:errcheck // it may not be enabled
	}
	for _, file := range files {
		if strings.HasPrefix(file, "/etc/") && !purge {
			continue
		}
		m.FS.Remove(vfs.Root(), file) //nolint:errcheck // it may be gone
	}
	m.FS.Remove(vfs.Root(), infoDir+name+".list") //nolint:errcheck
}

// loginShell is the shell of a package's account: pipelines run as jenkins.
func loginShell(user string) string {
	if user == "jenkins" {
		return "/bin/bash"
	}
	return "/usr/sbin/nologin"
}
