package catalogue

import (
	"slices"
	"strings"

	"podium/provision/version"
)

// Distribution is what machines start from.
type Distribution struct {
	Name     string            `yaml:"name" json:"name"`                             // Ubuntu 24.04
	ID       string            `yaml:"distribution" json:"distribution"`             // as in /etc/os-release: ubuntu
	Codename string            `yaml:"codename" json:"codename"`                     // as there: noble
	Names    []string          `yaml:"names" json:"names"`                           // parts of names of boxes and images, small letters and digits only
	End      Date              `yaml:"end" json:"end"`                               // last day of free fixes
	Cgroup   string            `yaml:"cgroup" json:"cgroup"`                         // version of cgroups it boots with: 1 or 2
	Packages map[string]string `yaml:"packages,omitempty" json:"packages,omitempty"` // version in its own archive by component
	From     string            `yaml:"from" json:"from"`
	Checked  Date              `yaml:"checked" json:"checked"`
}

// Rule is a combination of versions that does not work.
type Rule struct {
	Name    string            `yaml:"name" json:"name"`
	When    map[string]string `yaml:"when" json:"when"` // condition by subject: an operator and a version; all must hold
	Because string            `yaml:"because" json:"because"`
	Instead string            `yaml:"instead" json:"instead"`
	From    string            `yaml:"from" json:"from"`
}

// Dead is an address that nobody may use any more.
type Dead struct {
	What    string `yaml:"what" json:"what"` // part of an address
	Instead string `yaml:"instead" json:"instead"`
	From    string `yaml:"from" json:"from"`
}

// DistributionOf is the distribution that the name of a Vagrant box or of an image tells of; false where it tells of none
// that the catalogue knows.
func DistributionOf(name string) (Distribution, bool) {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	for _, d := range All().Distributions {
		if slices.ContainsFunc(d.Names, func(part string) bool { return strings.Contains(plain, part) }) {
			return d, true
		}
	}
	return Distribution{}, false
}

// Conflicts lists the rules that versions break; versions are by component, and "cgroup" may be among them. A rule
// about something whose version is not given holds its peace.
func (c Catalogue) Conflicts(versions map[string]string) []Rule {
	var broken []Rule
	for _, rule := range c.Rules {
		if rule.applies(versions) {
			broken = append(broken, rule)
		}
	}
	return broken
}

func (r Rule) applies(versions map[string]string) bool {
	for subject, condition := range r.When {
		has := versions[subject]
		operator, wanted, _ := strings.Cut(condition, " ")
		if wanted == "{kubernetes}" {
			wanted, has = version.Minor(versions["kubernetes"]), version.Minor(has)
		}
		if has == "" || wanted == "" || !holds(operator, version.Compare(has, wanted)) {
			return false
		}
	}
	return true
}

// holds applies an operator to how two versions compare.
func holds(operator string, order int) bool {
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "=":
		return order == 0
	case "!=":
		return order != 0
	}
	return false // the tests let no other operator in
}

// TooOld reports whether a containerd is older than every series that its makers test with that Kubernetes. A version
// of Kubernetes that the catalogue does not have is nobody's floor.
func TooOld(containerd, kubernetes string) bool {
	set, ok := SetFor(kubernetes)
	return ok && len(set.Containerd) > 0 && version.Compare(containerd, set.Containerd[0]) < 0
}
