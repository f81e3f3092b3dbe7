package packages

import (
	"fmt"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

const (
	statusFile = "/var/lib/dpkg/status"
	infoDir    = "/var/lib/dpkg/info/"
)

// record is what dpkg knows of a package on the machine.
type record struct {
	name, version, arch, summary string
	selection                    string // install, hold, deinstall, purge
	state                        string // installed, half-configured, unpacked, half-installed, config-files
	auto                         bool
	depends                      string
	size                         int64
}

// database is /var/lib/dpkg/status in memory.
type database struct {
	records map[string]*record
}

func readDatabase(m *guest.Machine) *database {
	db := &database{records: map[string]*record{}}
	text, err := m.FS.ReadFile(vfs.Root(), statusFile)
	if err != nil {
		return db
	}
	for block := range strings.SplitSeq(text, "\n\n") {
		r := &record{}
		for line := range strings.SplitSeq(block, "\n") {
			key, value, _ := strings.Cut(line, ": ")
			switch key {
			case "Package":
				r.name = value
			case "Version":
				r.version = value
			case "Architecture":
				r.arch = value
			case "Description":
				r.summary = value
			case "Depends":
				r.depends = value
			case "Installed-Size":
				fmt.Sscan(value, &r.size)
			case "Auto":
				r.auto = true
			case "Status":
				if f := strings.Fields(value); len(f) == 3 {
					r.selection, r.state = f[0], f[2]
				}
			}
		}
		if r.name != "" {
			db.records[r.name] = r
		}
	}
	return db
}

// write stores the database.
func (db *database) write(fs *vfs.FS) error {
	names := make([]string, 0, len(db.records))
	for name := range db.records {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		r := db.records[name]
		fmt.Fprintf(&b, "Package: %s\nStatus: %s ok %s\nInstalled-Size: %d\nArchitecture: %s\nVersion: %s\n", r.name, r.selection, r.state, r.size, r.arch, r.version)
		if r.depends != "" {
			fmt.Fprintf(&b, "Depends: %s\n", r.depends)
		}
		if r.auto {
			b.WriteString("Auto: yes\n")
		}
		fmt.Fprintf(&b, "Description: %s\n\n", r.summary)
	}
	return fs.WriteFile(vfs.Root(), statusFile, b.String(), 0o644)
}

// installed reports whether a package is there, whole.
func (db *database) installed(name string) bool {
	r := db.records[name]
	return r != nil && r.state == "installed"
}

// present reports whether any part of a package is there.
func (db *database) present(name string) bool {
	r := db.records[name]
	return r != nil && r.state != "config-files" && r.state != "not-installed"
}

// broken lists packages whose installation was cut off.
func (db *database) broken() []*record {
	var list []*record
	for _, r := range db.records {
		switch r.state {
		case "half-configured", "unpacked", "half-installed":
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *record) int { return strings.Compare(a.name, b.name) })
	return list
}

func recordOf(p *Package, arch string) *record {
	if p.Arch != "" {
		arch = p.Arch
	}
	text := p.Summary
	if text == "" {
		text = p.Name + " (simulated)"
	}
	return &record{
		name: p.Name, version: p.Version, arch: arch, summary: text, selection: "install", state: "installed",
		depends: strings.Join(p.Depends, ", "), size: p.Size,
	}
}

// fileList is the list of a package's files.
func fileList(p *Package) string {
	var paths []string
	for path := range p.Files {
		paths = append(paths, path)
	}
	for path := range p.Conf {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return strings.Join(paths, "\n") + "\n"
}

// listed reads the list of an installed package's files.
func listed(m *guest.Machine, name string) []string {
	text, err := m.FS.ReadFile(vfs.Root(), infoDir+name+".list")
	if err != nil {
		return nil
	}
	return strings.Fields(text)
}
