package check

import (
	_ "embed"
	"slices"
	"strings"

	"podium/provision/remote"
	"podium/provision/wording"
)

//go:embed kernel.go
var kernelSource string

// Process asks for processes. Those in containers of the node count too.
type Process struct {
	Name    string `yaml:"name,omitempty"`    // of the program, as ps -o comm shows it: at most 15 characters
	Matches string `yaml:"matches,omitempty"` // regular expression for the whole command line
	User    string `yaml:"user,omitempty"`    // whose it is
	Running *bool  `yaml:"running,omitempty"` // false: none may run
	Count   Value  `yaml:"count,omitempty"`   // exactly that many
}

// Faults checks the fields.
func (p *Process) Faults() []Fault {
	all := append(pattern("matches", p.Matches), whole("count", p.Count, 0, 100000)...)
	if p.Name == "" && p.Matches == "" {
		all = append(all, Fault{"name", "", "is missing: write a name, or matches: with a regular expression"})
	}
	return all
}

// Probe lists all processes, in columns of fixed width.
func (p *Process) Probe() string { return "ps -ewwo user:32=,comm:16=,args=" }

// Judge compares.
func (p *Process) Judge(facts Facts) Verdict {
	if v, bad := unable(facts); bad {
		return v
	}
	n := 0
	for line := range strings.Lines(facts.text()) {
		if len(line) < 50 {
			continue
		}
		user, name, args := strings.TrimSpace(line[:32]), strings.TrimSpace(line[33:49]), strings.TrimSpace(line[49:])
		if (p.Name == "" || name == p.Name) && (p.User == "" || user == p.User) && (p.Matches == "" || matches(p.Matches, args)) {
			n++
		}
	}
	what := p.Name
	if what == "" {
		what = p.Matches
	}
	if p.User != "" {
		what += " (" + p.User + ")"
	}
	switch {
	case p.Count != "" && n != p.Count.number():
		return fails("process-count", what, n, p.Count)
	case p.Count != "":
	case n == 0 && wants(p.Running):
		return fails("process-missing", what)
	case n > 0 && !wants(p.Running):
		return fails("process-there", what, n)
	}
	return holds()
}

// Port asks for a port that something listens on.
type Port struct {
	Port     Value  `yaml:"port" jsonschema:"required"` // its number
	Protocol string `yaml:"protocol,omitempty"`         // tcp, or udp; without it, tcp
	Open     *bool  `yaml:"open,omitempty"`             // false: nothing may listen
	Address  string `yaml:"address,omitempty"`          // where it listens, such as 127.0.0.1 or 0.0.0.0; without it, anywhere
	Process  string `yaml:"process,omitempty"`          // name of the program that listens
}

// Faults checks the fields.
func (p *Port) Faults() []Fault {
	all := append(missing("port", string(p.Port), "8080"), whole("port", p.Port, 1, 65535)...)
	if p.Protocol != "" {
		all = append(all, oneOf("protocol", p.Protocol, "tcp", "udp")...)
	}
	return all
}

// Probe lists what listens.
func (p *Port) Probe() string {
	if p.Protocol == "udp" {
		return "ss -Hlnup"
	}
	return "ss -Hlntp"
}

// Judge compares.
func (p *Port) Judge(facts Facts) Verdict {
	if v, bad := unable(facts); bad {
		return v
	}
	var addresses, programs []string
	for line := range strings.Lines(facts.text()) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		i := strings.LastIndexByte(fields[3], ':')
		if i < 0 || fields[3][i+1:] != string(p.Port) {
			continue
		}
		address, _, _ := strings.Cut(strings.Trim(fields[3][:i], "[]"), "%")
		if address == "*" {
			address = "0.0.0.0"
		}
		addresses, programs = append(addresses, address), append(programs, line)
	}
	isProgram := func(line string) bool {
		return strings.Contains(line, `(("`+p.Process+`"`) || strings.Contains(line, `,("`+p.Process+`"`)
	}
	switch {
	case len(addresses) == 0 && wants(p.Open):
		return fails("port-closed", p.Port)
	case len(addresses) > 0 && !wants(p.Open):
		return fails("port-open", p.Port, strings.Join(addresses, ", "))
	case len(addresses) == 0:
		return holds()
	case p.Address != "" && !slices.Contains(addresses, p.Address):
		return fails("port-address", p.Port, strings.Join(addresses, ", "), p.Address)
	case p.Process != "" && !slices.ContainsFunc(programs, isProgram):
		return fails("port-process", p.Port, p.Process)
	}
	return holds()
}

// Mount asks for a file system that is mounted.
type Mount struct {
	Path    string   `yaml:"path" jsonschema:"required"` // where
	Mounted *bool    `yaml:"mounted,omitempty"`          // false: nothing may be mounted there
	Source  string   `yaml:"source,omitempty"`           // of what, such as /dev/sdb1 or 192.168.56.10:/srv
	Type    string   `yaml:"type,omitempty"`             // such as ext4 or nfs4
	Options []string `yaml:"options,omitempty"`          // such as [ro]; among others
}

// Faults checks the fields.
func (m *Mount) Faults() []Fault { return missing("path", m.Path, "/mnt/data") }

// Probe prints the mounts of process 1.
func (m *Mount) Probe() string { return "cat /proc/1/mounts" }

// Judge compares.
func (m *Mount) Judge(facts Facts) Verdict {
	if v, bad := unable(facts); bad {
		return v
	}
	var is []string // the last one covers the others
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\134`, `\`)
	for line := range strings.Lines(facts.text()) {
		if fields := strings.Fields(line); len(fields) >= 4 && unescape.Replace(fields[1]) == m.Path {
			is = fields
		}
	}
	switch {
	case is == nil && wants(m.Mounted):
		return fails("mount-missing", m.Path)
	case is == nil:
		return holds()
	case !wants(m.Mounted):
		return fails("mount-there", m.Path, is[0])
	case m.Source != "" && unescape.Replace(is[0]) != m.Source:
		return fails("is", wording.Say("source-of", m.Path), is[0], m.Source)
	case m.Type != "" && is[2] != m.Type:
		return fails("is", wording.Say("type-of", m.Path), is[2], m.Type)
	}
	for _, o := range m.Options {
		if !slices.Contains(strings.Split(is[3], ","), o) {
			return fails("mount-option", m.Path, o, is[3])
		}
	}
	return holds()
}

// Sysctl asks for a setting of the kernel.
type Sysctl struct {
	Key   string `yaml:"key" jsonschema:"required"`   // such as net.ipv4.ip_forward
	Value *Match `yaml:"value" jsonschema:"required"` // what it is
}

// Faults checks the fields.
func (s *Sysctl) Faults() []Fault {
	all := append(missing("key", s.Key, "net.ipv4.ip_forward"), s.Value.faults("value")...)
	if strings.Contains(s.Key, "..") || strings.HasPrefix(s.Key, "/") {
		all = append(all, Fault{"key", s.Key, "is not a setting: write one such as net.ipv4.ip_forward"})
	}
	if s.Value == nil {
		all = append(all, Fault{"value", "", "is missing: write one such as {is: 1}"})
	}
	return all
}

// Probe prints it.
func (s *Sysctl) Probe() string {
	key := s.Key
	if !strings.Contains(key, "/") {
		key = strings.ReplaceAll(key, ".", "/")
	}
	return "f=" + remote.Quote("/proc/sys/"+key) + "\n[[ -f $f ]] || exit 3\ncat \"$f\""
}

// Judge compares.
func (s *Sysctl) Judge(facts Facts) Verdict {
	if facts.Code == 3 {
		return fails("sysctl-missing", s.Key)
	}
	if v, bad := unable(facts); bad {
		return v
	}
	if v, ok := s.Value.judge(wording.Say("just", s.Key), strings.Join(strings.Fields(facts.text()), " ")); !ok {
		return v
	}
	return holds()
}
