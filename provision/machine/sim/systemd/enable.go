package systemd

import (
	"fmt"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// Enabled reports what systemctl is-enabled says, by the links in /etc/systemd/system.
func Enabled(m *guest.Machine, name string) string {
	d := load(m, name)
	switch {
	case d == nil:
		return "not-found"
	case d.masked:
		return "masked"
	case linked(m, name):
		return "enabled"
	case len(d.words("Install", "WantedBy"))+len(d.words("Install", "RequiredBy"))+len(d.words("Install", "Also"))+len(d.words("Install", "Alias")) == 0:
		return "static"
	}
	return "disabled"
}

func linked(m *guest.Machine, name string) bool {
	for _, dir := range wantsDirs(m) {
		if _, err := m.FS.Lstat(vfs.Root(), dir+"/"+name); err == nil {
			return true
		}
	}
	return false
}

// wantsDirs are the directories of links that pull units in at boot.
func wantsDirs(m *guest.Machine) []string {
	entries, err := m.FS.ReadDir(vfs.Root(), "/etc/systemd/system")
	if err != nil {
		return nil
	}
	var dirs []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".wants") || strings.HasSuffix(e.Name(), ".requires") {
			dirs = append(dirs, "/etc/systemd/system/"+e.Name())
		}
	}
	return dirs
}

// Enable makes the links of a unit; made gets a line for each that is new. An error is worded as systemctl words it.
func Enable(m *guest.Machine, name string, made func(line string)) error {
	d := load(m, name)
	switch {
	case d == nil:
		return fmt.Errorf("Failed to enable unit: Unit file %s does not exist.", name) //nolint:staticcheck // systemctl's words
	case d.masked:
		return fmt.Errorf("Failed to enable unit: Unit file %s is masked.", d.file) //nolint:staticcheck
	}
	link := func(path string) error {
		fs, root := m.FS, vfs.Root()
		if _, err := fs.Lstat(root, path); err == nil {
			return nil
		}
		if err := fs.MkdirAll(root, path[:strings.LastIndexByte(path, '/')], 0o755); err != nil {
			return err
		}
		if err := fs.Symlink(root, d.file, path); err != nil {
			return err
		}
		if made != nil {
			made(fmt.Sprintf("Created symlink %s → %s.", path, d.file))
		}
		return nil
	}
	for _, kind := range []struct{ key, dir string }{{"WantedBy", "wants"}, {"RequiredBy", "requires"}} {
		for _, target := range d.words("Install", kind.key) {
			if err := link("/etc/systemd/system/" + target + "." + kind.dir + "/" + name); err != nil {
				return err
			}
		}
	}
	for _, alias := range d.words("Install", "Alias") {
		if err := link("/etc/systemd/system/" + alias); err != nil {
			return err
		}
	}
	for _, also := range d.words("Install", "Also") {
		if also != name && !linked(m, also) {
			if err := Enable(m, also, made); err != nil {
				return err
			}
		}
	}
	return nil
}

// Disable removes the links of a unit.
func Disable(m *guest.Machine, name string, removed func(line string)) error {
	if load(m, name) == nil {
		return fmt.Errorf("Failed to disable unit: Unit file %s does not exist.", name) //nolint:staticcheck // systemctl's words
	}
	for _, dir := range wantsDirs(m) {
		path := dir + "/" + name
		if m.FS.Remove(vfs.Root(), path) == nil && removed != nil {
			removed(fmt.Sprintf("Removed %q.", path))
		}
	}
	return nil
}
