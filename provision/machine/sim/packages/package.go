// Package packages models Debian packages: archives with what they hold, the database of dpkg, and the commands apt-get,
// apt-cache, apt-mark, dpkg and dpkg-query. What is installed stands in /var/lib/dpkg of the node's disk.
package packages

import (
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/version"
)

// Package is one version of a package in an archive.
type Package struct {
	Name     string
	Version  string
	Arch     string   // all, or empty for the machine's own
	Summary  string   // one line
	Depends  []string // each may name alternatives: "default-mta | mail-transport-agent"
	Provides []string
	Breaks   []string          // packages that it replaces
	Size     int64             // installed, in KiB
	Files    map[string]string // path to content; programs are guest.Executable
	Conf     map[string]string // configuration files: one that is there already stays
	Units    []string          // units that are enabled and started when it is installed
	Users    []string          // system accounts
	Groups   []string          // system groups
	Dirs     []string          // directories, as "path" or "path user"
}

// set is a list of packages under construction.
type set []*Package

// add starts a package. Programs are "name" for /usr/bin/name, or a path; "path=program" runs another program's model.
func (s *set) add(name, version, programs string, more ...func(*Package)) *Package {
	p := &Package{Name: name, Version: version, Size: 400, Files: map[string]string{}, Conf: map[string]string{}}
	for _, word := range strings.Fields(programs) {
		path, program, other := strings.Cut(word, "=")
		if !strings.HasPrefix(path, "/") {
			path = "/usr/bin/" + path
		}
		if !other {
			program = path[strings.LastIndexByte(path, '/')+1:]
		}
		p.Files[path] = guest.Executable(program, upstream(version))
	}
	p.Files["/usr/share/doc/"+name+"/copyright"] = "simulated package " + name + "\n"
	for _, f := range more {
		f(p)
	}
	*s = append(*s, p)
	return p
}

// upstream is the part of a package version that the software itself says: 2.2.1 of 1:2.2.1-1~ubuntu.24.04~noble.
func upstream(version string) string {
	if _, v, ok := strings.Cut(version, ":"); ok {
		version = v
	}
	if i := strings.LastIndexByte(version, '-'); i > 0 {
		version = version[:i]
	}
	return version
}

func depends(names ...string) func(*Package) {
	return func(p *Package) { p.Depends = append(p.Depends, names...) }
}
func provides(names ...string) func(*Package) { return func(p *Package) { p.Provides = names } }
func breaks(names ...string) func(*Package)   { return func(p *Package) { p.Breaks = names } }
func size(kib int64) func(*Package)           { return func(p *Package) { p.Size = kib } }
func users(names ...string) func(*Package)    { return func(p *Package) { p.Users = names } }
func groups(names ...string) func(*Package)   { return func(p *Package) { p.Groups = names } }
func dirs(names ...string) func(*Package)     { return func(p *Package) { p.Dirs = names } }
func conf(path, text string) func(*Package)   { return func(p *Package) { p.Conf[path] = text } }
func file(path, text string) func(*Package)   { return func(p *Package) { p.Files[path] = text } }

// unit adds a unit file below /usr/lib/systemd/system that is enabled and started at installation.
func unit(name, text string) func(*Package) {
	return func(p *Package) {
		p.Files["/usr/lib/systemd/system/"+name] = text
		p.Units = append(p.Units, name)
	}
}

// idleUnit is a unit that the package brings but neither enables nor starts.
func idleUnit(name, text string) func(*Package) { return file("/usr/lib/systemd/system/"+name, text) }

// daemon is the text of an ordinary unit.
func daemon(about, command string, settings ...string) string {
	return "[Unit]\nDescription=" + about + "\nAfter=network.target\n\n[Service]\nExecStart=" + command + "\n" +
		strings.Join(append(settings, ""), "\n") + "\n[Install]\nWantedBy=multi-user.target\n"
}

// Archive is a repository of packages: all its suites.
type Archive struct {
	Key      string              // who signs it
	Suites   map[string][]string // components by suite; a flat repository has a suite that ends in "/"
	Packages []*Package

	exact func(name, version string) *Package // a version that the list does not have; may be nil
}

// Compare orders versions as dpkg does.
func Compare(a, b string) int {
	ea, ra := epoch(a)
	eb, rb := epoch(b)
	if ea != eb {
		return ea - eb
	}
	ua, va := revision(ra)
	ub, vb := revision(rb)
	if c := version.Compare(ua, ub); c != 0 {
		return c
	}
	return version.Compare(va, vb)
}

func epoch(v string) (int, string) {
	e, rest, ok := strings.Cut(v, ":")
	if !ok {
		return 0, v
	}
	n := 0
	for _, c := range e {
		n = n*10 + int(c-'0')
	}
	return n, rest
}

func revision(v string) (string, string) {
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], v[i+1:]
	}
	return v, ""
}
