package lab

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/version"
)

// Validate checks a lab that has been through Default: what the fields hold and how they fit together. at says where
// each field stands in the file; the zero Positions will do. The error is a Problems with everything that is wrong.
func Validate(l Lab, at Positions) error { return validate(l, at, nil).Err() }

// validate is Validate, with the names of the built-in steps that the lab's own may wait for; nil: any.
func validate(l Lab, at Positions, steps []string) Problems {
	c := &checker{lab: l, at: at}
	c.top()
	c.network()
	c.nodes()
	c.roles()
	c.kubernetes()
	c.pairs()
	c.services()
	c.mirrors()
	c.steps(steps)
	c.exercises()
	return c.problems
}

// exercises checks the order of exercises; whether they are there is seen when they are read.
func (c *checker) exercises() {
	seen := map[string]bool{}
	for i, name := range c.lab.Exercises {
		path := fmt.Sprintf("exercises[%d]", i)
		if c.name(path, name, "first-container") && seen[name] {
			c.bad(path, name, "stands here a second time: keep one of the two")
		}
		seen[name] = true
	}
}

// checker collects what is wrong with a lab.
type checker struct {
	lab      Lab
	at       Positions
	problems Problems

	suggested int   // words for which a similar one was looked for
	carried   int64 // bytes of all files that go with steps
}

// bad reports a field: what it holds, what is wrong with that, and after a colon what to write. Fields that Parse
// refused are passed over, as what they hold is not what the file says.
func (c *checker) bad(path, value, message string, args ...any) {
	if p, ok := c.at.Problem(path, value, fmt.Sprintf(message, args...)); ok {
		c.problems = append(c.problems, p)
	}
}

// oneOf checks a field that is a choice between a few words. Soon are words that a later release will know.
func (c *checker) oneOf(path, value string, words []string, soon ...string) {
	switch {
	case slices.Contains(words, value):
	case slices.Contains(soon, value):
		c.bad(path, value, "is not offered yet by this release: write %s", either(words))
	default:
		c.bad(path, value, "%s", ChoiceFault(value, words))
	}
}

// ChoiceFault says what is wrong with a value that is none of a few words, and which one was meant.
func ChoiceFault(value string, words []string) string {
	if near := nearest(value, words); near != "" {
		return "is not known: did you mean " + near + "?"
	}
	return "is not known: write " + either(words)
}

// either lists words as a choice: a, b or c.
func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// maxName is the longest label of RFC 1123, and of an instance's name at Incus:
// https://linuxcontainers.org/incus/docs/main/reference/instance_properties
const maxName = 63

var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// onWindows are the names that Windows keeps for devices: they cannot be those of files and folders, and every name in
// a lab becomes one. Refused on every system: a lab is handed on
// (https://learn.microsoft.com/windows/win32/fileio/naming-a-file).
var onWindows = regexp.MustCompile(`^(con|prn|aux|nul|com[1-9]|lpt[1-9])$`)

const onWindowsFault = "is a name that Windows keeps for a device: choose another"

// name checks a name that becomes part of host names and of paths.
func (c *checker) name(path, value, example string) bool {
	fault := NameFault(value, example)
	if fault != "" {
		c.bad(path, value, "%s", fault)
	}
	return fault == ""
}

// NameFault says what is wrong with a name that becomes part of host names and of paths, with an example of a right one;
// empty when nothing is.
func NameFault(value, example string) string {
	switch {
	case value == "":
		return "is missing: write one such as " + example
	case len(value) > maxName:
		return fmt.Sprintf("has %d characters, more than the %d that a host name can have: shorten it", len(value), maxName)
	case !label.MatchString(value):
		return "is not a name: write small letters a to z, digits and hyphens, such as " + cmp.Or(asLabel(value), example)
	case onWindows.MatchString(value):
		return onWindowsFault
	}
	return ""
}

// asLabel turns a text into a name as far as it can be; empty when nothing is left.
func asLabel(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '_', r == '.', r == ' ', r == '-':
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

// userName is what Debian's adduser accepts (adduser.conf(5), NAME_REGEX), with useradd's limit of 32 characters.
var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

// user checks an account's name.
func (c *checker) user(path, value string) {
	if !userName.MatchString(value) {
		c.bad(path, value, "is not the name of an account: write one such as vagrant")
	}
}

// word checks a text that is handed to another program as it is.
func (c *checker) word(path, value, example string) {
	if value == "" || strings.ContainsAny(value, " \t") || strings.HasPrefix(value, "-") {
		c.bad(path, value, "must be one word that does not start with a hyphen: write one such as %s", example)
	}
}

// top checks the fields that stand for the lab as a whole.
func (c *checker) top() {
	l := c.lab
	if c.name("name", l.Name, "my-lab") && l.Provider == ProviderIncus && l.Name[0] <= '9' {
		c.bad("name", l.Name, "starts with a digit, which Incus refuses: write lab-%s", l.Name)
	}
	c.oneOf("provider", l.Provider, Providers())
	c.oneOf("source", l.Source, sources())
	c.word("box", l.Box, "bento/ubuntu-24.04")
	if l.BoxVersion != "" {
		c.word("box_version", l.BoxVersion, "202510.26.0")
	}
	c.user("user", l.User)
	if l.BootTimeout != "" {
		c.timeout("boot_timeout", l.BootTimeout, "30m")
	}
	if l.SSHTimeout != "" {
		c.timeout("ssh_timeout", l.SSHTimeout, "1m")
	}
	if d := l.Docker; d != nil {
		for i, user := range d.Users {
			c.user(fmt.Sprintf("docker.users[%d]", i), user)
		}
	}
	if i := l.Incus; i != nil {
		c.oneOf("incus.instance", i.Instance, instances())
		c.word("incus.image", i.Image, "images:ubuntu/24.04")
		for _, f := range []struct{ name, value string }{{"remote", i.Remote}, {"pool", i.Pool}, {"project", i.Project}} {
			if f.value != "" {
				c.word("incus."+f.name, f.value, "default")
			}
		}
	}
}

// isVersion reports whether a text is a version like 1.36 or 1.36.2.
func isVersion(text string) bool {
	_, err := version.Parse(text)
	return err == nil
}

// kubernetes checks what the section holds; roles checks whether it belongs there.
func (c *checker) kubernetes() {
	k := c.lab.Kubernetes
	if k == nil {
		if c.lab.Runtime != "" {
			c.bad("runtime", c.lab.Runtime, "has no use in a lab without Kubernetes: leave it out, or write kubernetes: {}")
		}
		return
	}
	c.oneOf("runtime", c.lab.Runtime, runtimes())
	c.oneOf("kubernetes.cni", k.CNI, cnis())
	c.oneOf("kubernetes.etcd", k.Etcd, etcds())
	minors := catalogue.KubernetesMinors()
	switch plain := strings.TrimPrefix(k.Version, "v"); {
	case plain != k.Version && isVersion(plain):
		c.bad("kubernetes.version", k.Version, "starts with v: write %s", plain)
	case !isVersion(k.Version):
		c.bad("kubernetes.version", k.Version, "is not a version: write %q, or an exact one such as \"%s.1\"", catalogue.DefaultKubernetes(), catalogue.DefaultKubernetes())
	case !slices.Contains(minors, version.Minor(k.Version)):
		c.bad("kubernetes.version", k.Version, "is not a version that this release installs: write %s", either(minors))
	}
	c.addons()
}
