package check

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"

	"podium/provision/remote"
	"podium/provision/wording"
)

//go:embed machine.go
var machineSource string

// File asks for a file, folder or link.
type File struct {
	Path    string `yaml:"path" jsonschema:"required"` // absolute
	Exists  *bool  `yaml:"exists,omitempty"`           // false: nothing of that name may be there
	Type    string `yaml:"type,omitempty"`             // file, directory or link; a link is followed unless it is asked for
	Mode    Value  `yaml:"mode,omitempty"`             // permissions, such as "0640"
	Owner   string `yaml:"owner,omitempty"`            // user, or user:group
	Content *Match `yaml:"content,omitempty"`          // its text, or where a link leads; the first 64 KiB of it
}

// Faults checks the fields.
func (f *File) Faults() []Fault {
	all := missing("path", f.Path, "/etc/hosts")
	if f.Path != "" && !strings.HasPrefix(f.Path, "/") {
		all = append(all, Fault{"path", f.Path, "is not absolute: write one that begins with /"})
	}
	if f.Type != "" {
		all = append(all, oneOf("type", f.Type, "file", "directory", "link")...)
	}
	if f.Mode != "" && !mode.MatchString(string(f.Mode)) {
		all = append(all, Fault{"mode", string(f.Mode), `is not a mode: write one such as "0640"`})
	}
	return append(all, f.Content.faults("content")...)
}

var mode = regexp.MustCompile(`^[0-7]{3,4}$`)

// Probe prints type, mode, owner and group on one line, then the content if that is asked for.
func (f *File) Probe() string {
	lines := []string{"f=" + remote.Quote(f.Path)}
	if f.Type == "link" {
		lines = append(lines, `[[ -L $f ]] || { [[ -e $f ]] && echo other || echo missing; exit 0; }`, `stat -c '%F|%a|%U|%G' -- "$f"`, `readlink -- "$f"`)
	} else {
		lines = append(lines, `[[ -e $f ]] || { echo missing; exit 0; }`, `stat -L -c '%F|%a|%U|%G' -- "$f"`)
		if f.Content != nil {
			lines = append(lines, `[[ ! -f $f ]] || head -c 65536 -- "$f"`)
		}
	}
	return strings.Join(lines, "\n")
}

// Judge compares.
func (f *File) Judge(facts Facts) Verdict {
	if v, bad := unable(facts); bad {
		return v
	}
	first, content, _ := strings.Cut(string(facts.Out), "\n")
	if first == "missing" {
		if wants(f.Exists) {
			return fails("file-missing", f.Path)
		}
		return holds()
	}
	fields := strings.Split(first, "|")
	switch {
	case !wants(f.Exists):
		return fails("file-there", f.Path)
	case first == "other":
		return fails("file-type", f.Path, wording.Say("type-link"))
	case len(fields) != 4:
		return broken("strange-answer", first)
	}
	kind := "link"
	switch {
	case strings.HasPrefix(fields[0], "regular"):
		kind = "file"
	case fields[0] == "directory":
		kind = "directory"
	}
	owner := fields[2]
	if strings.Contains(f.Owner, ":") {
		owner += ":" + fields[3]
	}
	switch {
	case f.Type != "" && f.Type != kind:
		return fails("file-type", f.Path, wording.Say("type-"+f.Type))
	case f.Mode != "" && strings.TrimLeft(string(f.Mode), "0") != strings.TrimLeft(fields[1], "0"):
		return fails("is", wording.Say("mode-of", f.Path), "0"+fields[1], f.Mode)
	case f.Owner != "" && f.Owner != owner:
		return fails("is", wording.Say("owner-of", f.Path), owner, f.Owner)
	}
	if v, ok := f.Content.judge(wording.Say("content-of", f.Path), content); !ok {
		return v
	}
	return holds()
}

// Service asks for a unit of systemd.
type Service struct {
	Unit    string `yaml:"unit" jsonschema:"required"` // such as docker or fstrim.timer
	Active  *bool  `yaml:"active,omitempty"`           // false: it may not run
	Enabled *bool  `yaml:"enabled,omitempty"`          // whether it starts with the machine; without it, either
}

var unitName = regexp.MustCompile(`^[A-Za-z0-9@_.:\\-]+$`)

// Faults checks the fields.
func (s *Service) Faults() []Fault {
	if s.Unit != "" && !unitName.MatchString(s.Unit) {
		return []Fault{{"unit", s.Unit, "is not the name of a unit: write one such as docker"}}
	}
	return missing("unit", s.Unit, "docker")
}

// Probe prints properties of the unit.
func (s *Service) Probe() string {
	return "systemctl show -p LoadState,ActiveState,SubState,UnitFileState -- " + remote.Quote(s.Unit)
}

// Judge compares.
func (s *Service) Judge(facts Facts) Verdict {
	if v, bad := unable(facts); bad {
		return v
	}
	is := properties(facts.text())
	active, enabled := is["ActiveState"] == "active", slices.Contains([]string{"enabled", "enabled-runtime", "static", "alias", "indirect", "generated"}, is["UnitFileState"])
	switch {
	case is["LoadState"] == "":
		return broken("strange-answer", facts.text())
	case is["LoadState"] == "not-found" && wants(s.Active):
		return fails("service-unknown", s.Unit)
	case wants(s.Active) != active && active:
		return fails("service-active", s.Unit)
	case wants(s.Active) != active:
		return fails("service-inactive", s.Unit, is["ActiveState"]+" ("+is["SubState"]+")")
	case s.Enabled != nil && *s.Enabled != enabled && enabled:
		return fails("service-enabled", s.Unit)
	case s.Enabled != nil && *s.Enabled != enabled:
		return fails("service-disabled", s.Unit)
	}
	return holds()
}

// properties reads lines of NAME=VALUE.
func properties(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			all[name] = value
		}
	}
	return all
}

// Package asks for a package of Debian or Ubuntu.
type Package struct {
	Name      string `yaml:"name" jsonschema:"required"` // such as nginx
	Installed *bool  `yaml:"installed,omitempty"`        // false: it may not be installed
	Version   *Match `yaml:"version,omitempty"`          // its version
}

// Faults checks the fields.
func (p *Package) Faults() []Fault {
	return append(missing("name", p.Name, "nginx"), p.Version.faults("version")...)
}

// Probe prints the package's state and version.
func (p *Package) Probe() string {
	return "dpkg-query -W -f '${db:Status-Status} ${Version}\\n' -- " + remote.Quote(p.Name) + " 2>/dev/null || { [[ $? == 1 ]] && echo not-installed; }"
}

// Judge compares.
func (p *Package) Judge(facts Facts) Verdict {
	if v, bad := unable(facts); bad {
		return v
	}
	state, version, _ := strings.Cut(facts.text(), " ")
	switch installed := state == "installed"; {
	case installed && !wants(p.Installed):
		return fails("package-installed", p.Name, version)
	case !installed && wants(p.Installed):
		return fails("package-missing", p.Name)
	case !installed:
		return holds()
	}
	if v, ok := p.Version.judge(wording.Say("version-of", p.Name), version); !ok {
		return v
	}
	return holds()
}

// User asks for an account.
type User struct {
	Name   string   `yaml:"name" jsonschema:"required"` // such as alice
	Exists *bool    `yaml:"exists,omitempty"`           // false: it may not be there
	UID    Value    `yaml:"uid,omitempty"`              // its number
	Groups []string `yaml:"groups,omitempty"`           // groups that it is in, among others
	Home   string   `yaml:"home,omitempty"`             // its folder
	Shell  string   `yaml:"shell,omitempty"`            // what it logs in to
}

// Faults checks the fields.
func (u *User) Faults() []Fault {
	return append(missing("name", u.Name, "alice"), whole("uid", u.UID, 0, 1<<31-1)...)
}

// Probe prints the line of the account, then its groups.
func (u *User) Probe() string {
	return "u=" + remote.Quote(u.Name) + `
line=$(getent passwd "$u") || { [[ $? == 2 ]] && echo missing && exit 0; exit 1; }
printf '%s\n' "$line"
id -nG -- "$u"`
}

// Judge compares.
func (u *User) Judge(facts Facts) Verdict {
	if v, bad := unable(facts); bad {
		return v
	}
	line, groups, _ := strings.Cut(facts.text(), "\n")
	if line == "missing" {
		if wants(u.Exists) {
			return fails("user-missing", u.Name)
		}
		return holds()
	}
	fields := strings.Split(line, ":")
	switch {
	case !wants(u.Exists):
		return fails("user-there", u.Name)
	case len(fields) != 7:
		return broken("strange-answer", line)
	case u.UID != "" && fields[2] != string(u.UID):
		return fails("is", wording.Say("uid-of", u.Name), fields[2], u.UID)
	case u.Home != "" && fields[5] != u.Home:
		return fails("is", wording.Say("home-of", u.Name), fields[5], u.Home)
	case u.Shell != "" && fields[6] != u.Shell:
		return fails("is", wording.Say("shell-of", u.Name), fields[6], u.Shell)
	}
	for _, g := range u.Groups {
		if !slices.Contains(strings.Fields(groups), g) {
			return fails("user-group", u.Name, g, groups)
		}
	}
	return holds()
}
