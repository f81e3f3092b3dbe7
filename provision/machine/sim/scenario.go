package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"podium/provision/folder"
	"podium/provision/lab"
)

// Scenario is a sim.yaml: how long things take in a simulated lab, and what goes wrong. Without it everything takes no
// time and nothing goes wrong. An example with every field is testdata/sim.yaml.
//
// A duration is a Go duration ("2s") or a range ("1s..3s"), from which each use draws by the seed.
type Scenario struct {
	Seed     uint64               `yaml:"seed"` // of the random numbers; the same seed gives the same run
	Defaults Behaviour            `yaml:",inline"`
	Nodes    map[string]Behaviour `yaml:"nodes"` // by node name; what a node says wins over what stands above
}

// Behaviour is how one node, or every node, behaves.
type Behaviour struct {
	Boot      Range            `yaml:"boot"`      // from power on until sshd answers
	Slow      float64          `yaml:"slow"`      // multiplies every duration; 0: 1
	Durations map[string]Range `yaml:"durations"` // by the beginning of a command line, options aside, such as "apt-get install"; the longest that fits counts

	SSH struct {
		Refuse int   `yaml:"refuse"` // so many connections are refused after each boot
		Drop   []Hit `yaml:"drop"`   // connections are cut while such a command runs
	} `yaml:"ssh"`
	Reboot    []Hit  `yaml:"reboot"`    // the node reboots while such a command runs
	Fail      []Hit  `yaml:"fail"`      // such a command fails
	AptLock   Range  `yaml:"apt_lock"`  // the package lock is held by another process so long after each boot
	Downloads int    `yaml:"downloads"` // so many downloads of packages and files fail
	Disk      string `yaml:"disk"`      // size of the disk, such as 20GiB; the lab's own otherwise
	DiskFull  bool   `yaml:"disk_full"` // no byte is free
	Network   string `yaml:"network"`   // "none": nothing outside the lab can be reached
	Host      string `yaml:"host"`      // "unreachable": connections to the node are accepted and never answered; "down": refused
	HostKey   string `yaml:"host_key"`  // "swapped": the node shows another host key from its second boot on
	Clock     string `yaml:"clock"`     // how far the clock is ahead at each boot, such as -26h
}

// Hit picks commands.
type Hit struct {
	Command string `yaml:"command"` // beginning of the command line, options aside
	Times   int    `yaml:"times"`   // so often, 0: once
	After   Range  `yaml:"after"`   // so long after the command began
	Message string `yaml:"message"` // of fail: what it says
}

// Range is a duration, or two that a duration is drawn from.
type Range struct{ Min, Max time.Duration }

// UnmarshalYAML reads "2s" and "1s..3s".
func (r *Range) UnmarshalYAML(n *yaml.Node) error {
	lo, hi, ranged := strings.Cut(n.Value, "..")
	var err error
	if r.Min, err = time.ParseDuration(strings.TrimSpace(lo)); err == nil {
		r.Max = r.Min
		if ranged {
			r.Max, err = time.ParseDuration(strings.TrimSpace(hi))
		}
	}
	if err != nil || r.Min < 0 || r.Max < r.Min {
		return fmt.Errorf("line %d: %q is no duration: write 2s, or 1s..3s for a random one", n.Line, n.Value)
	}
	return nil
}

// maxScenario is the largest sim.yaml read, in bytes.
const maxScenario = 1 << 20

// ReadScenario reads a sim.yaml. Unknown fields are errors.
func ReadScenario(file string) (*Scenario, error) {
	text, err := folder.ReadFile(file, maxScenario)
	if err != nil {
		return nil, fmt.Errorf("read the simulator's file: %w", err)
	}
	s, err := ParseScenario(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// ParseScenario reads the text of a sim.yaml.
func ParseScenario(text []byte) (*Scenario, error) {
	s := &Scenario{}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, plainYAML(err)
	}
	if err := s.Defaults.check(""); err != nil {
		return nil, err
	}
	for name, b := range s.Nodes {
		if err := b.check("nodes." + name + "."); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// plainYAML words what the decoder reports for people.
func plainYAML(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n  ")
	if i := strings.Index(text, " not found in type "); i > 0 {
		text = text[:i] + " is not known"
	}
	return errors.New(text)
}

func (b Behaviour) check(at string) error {
	for _, c := range []struct{ field, value, want string }{
		{"network", b.Network, "none"}, {"host_key", b.HostKey, "swapped"},
	} {
		if c.value != "" && c.value != c.want {
			return fmt.Errorf("%s%s: %q: write %s, or leave it out", at, c.field, c.value, c.want)
		}
	}
	if b.Host != "" && b.Host != "unreachable" && b.Host != "down" {
		return fmt.Errorf("%shost: %q: write unreachable or down, or leave it out", at, b.Host)
	}
	if b.Slow < 0 {
		return fmt.Errorf("%sslow: %v: write a number above 0", at, b.Slow)
	}
	if _, err := size(b.Disk); err != nil {
		return fmt.Errorf("%sdisk: %q %w", at, b.Disk, err)
	}
	if b.Clock != "" {
		if _, err := time.ParseDuration(b.Clock); err != nil {
			return fmt.Errorf("%sclock: %q: write a duration such as -26h", at, b.Clock)
		}
	}
	for _, list := range []struct {
		name string
		hits []Hit
	}{{"ssh.drop", b.SSH.Drop}, {"reboot", b.Reboot}, {"fail", b.Fail}} {
		for i, h := range list.hits {
			if h.Command == "" {
				return fmt.Errorf("%s%s[%d].command: missing: write how the command line begins", at, list.name, i)
			}
		}
	}
	return nil
}

// size reads 512MiB and 20GiB, as bytes; "" is 0.
func size(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := lab.ParseSize(s)
	return int64(n), err
}
