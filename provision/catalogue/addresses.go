package catalogue

import (
	"maps"
	"slices"
	"strings"

	"podium/provision/version"
)

// Find is the component of that name; false where the catalogue has none.
func (c Catalogue) Find(name string) (Component, bool) {
	i := slices.IndexFunc(c.Components, func(p Component) bool { return p.Name == name })
	if i < 0 {
		return Component{}, false
	}
	return c.Components[i], true
}

// Default is the version of a lab that names none; the zero Release where the distribution decides.
func (c Component) Default() Release {
	for _, r := range c.Versions {
		if r.Default {
			return r
		}
	}
	return Release{}
}

// Release is the entry that holds the version: the version itself, or its series ("1.36" for "1.36.2"). False where
// there is none.
func (c Component) Release(of string) (Release, bool) {
	for _, wanted := range []string{of, version.Minor(of)} {
		for _, r := range c.Versions {
			if r.Version == wanted {
				return r, true
			}
		}
	}
	return Release{}, false
}

// Version is the default version of a component. It is empty for a name that the catalogue does not have; a test goes
// over all calls with a literal.
func Version(name string) string {
	c, _ := All().Find(name)
	return c.Default().Version
}

// VersionFor is the version of a component that goes with a version of Kubernetes ("1.36", "1.36.2"): that of the set,
// else the default.
func VersionFor(name, kubernetes string) string {
	if set, ok := SetFor(kubernetes); ok && set.With[name] != "" {
		return set.With[name]
	}
	return Version(name)
}

// SetFor is what goes together with a version of Kubernetes; false where the catalogue has no such minor version.
func SetFor(kubernetes string) (Set, bool) {
	sets := All().Sets
	i := slices.IndexFunc(sets, func(s Set) bool { return s.Kubernetes == version.Minor(kubernetes) })
	if i < 0 {
		return Set{}, false
	}
	return sets[i], true
}

// Image is the container image of a component at a version. Empty for what the catalogue does not have, as Version.
func Image(name, image, at string) string {
	c, _ := All().Find(name)
	return Expand(c.Images[image], map[string]string{"version": at, "minor": version.Minor(at)})
}

// Images are all container images that a component needs at a version, in the order of what runs in them.
func Images(name, version string) []string {
	c, _ := All().Find(name)
	var list []string
	for _, image := range slices.Sorted(maps.Keys(c.Images)) {
		list = append(list, Image(name, image, version))
	}
	return list
}

// Expand fills in a template of the catalogue: {NAME} is replaced by the value of that name, else by the default
// version of that component, else left as it is.
func Expand(template string, values map[string]string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		name, after, closed := strings.Cut(rest, "}")
		b.WriteString(before)
		if !found || !closed {
			if found {
				b.WriteString("{" + rest)
			}
			return b.String()
		}
		value, known := values[name]
		if !known {
			value = Version(name)
		}
		if value == "" {
			value = "{" + name + "}"
		}
		b.WriteString(value)
		template = after
	}
}

// DefaultKubernetes is the minor version of a lab that does not name one.
func DefaultKubernetes() string { return Version("kubernetes") }

// KubernetesMinors lists the minor versions of Kubernetes that podium can install, oldest first.
func KubernetesMinors() []string {
	c, _ := All().Find("kubernetes")
	var minors []string
	for _, r := range c.Versions {
		minors = append(minors, r.Version)
	}
	return minors
}

// SourceOf is the source that an address lies in; false where the catalogue knows none.
func (c Catalogue) SourceOf(url string) (Source, bool) {
	for _, s := range c.Sources {
		if url == s.URL || strings.HasPrefix(url, s.URL+"/") {
			return s, true
		}
	}
	return Source{}, false
}
