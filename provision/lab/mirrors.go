package lab

import (
	"strings"
	"unicode"
)

// mirrorFields lists the mirrors that one variable each of the environment can give.
func mirrorFields(m *Mirrors) []struct {
	Path, Variable string
	Field          *string
} {
	return []struct {
		Path, Variable string
		Field          *string
	}{
		{"mirrors.apt", "PODIUM_MIRROR_APT", &m.Apt},
		{"mirrors.apt_security", "PODIUM_MIRROR_APT_SECURITY", &m.AptSecurity},
		{"mirrors.kubernetes", "PODIUM_MIRROR_KUBERNETES", &m.Kubernetes},
		{"mirrors.docker", "PODIUM_MIRROR_DOCKER", &m.Docker},
		{"mirrors.jenkins", "PODIUM_MIRROR_JENKINS", &m.Jenkins},
		{"mirrors.jenkins_updates", "PODIUM_MIRROR_JENKINS_UPDATES", &m.JenkinsUpdates},
		{"mirrors.adoptium", "PODIUM_MIRROR_ADOPTIUM", &m.Adoptium},
		{"mirrors.grafana", "PODIUM_MIRROR_GRAFANA", &m.Grafana},
		{"mirrors.github", "PODIUM_MIRROR_GITHUB", &m.GitHub},
		{"mirrors.helm", "PODIUM_MIRROR_HELM", &m.Helm},
		{"mirrors.cri_o", "PODIUM_MIRROR_CRI_O", &m.CRIO},
		{"mirrors.registry", "PODIUM_MIRROR_REGISTRY", &m.Registry},
	}
}

// Variables returns the mirrors that are set as the PODIUM_MIRROR_* variables of the guest scripts.
func (m Mirrors) Variables() map[string]string {
	vars := map[string]string{}
	for _, f := range mirrorFields(&m) {
		if *f.Field != "" {
			vars[f.Variable] = *f.Field
		}
	}
	return vars
}

// registriesVariable names mirrors of single registries: docker.io=http://10.0.0.2:5000 ghcr.io=http://10.0.0.2:5001.
const registriesVariable = "PODIUM_MIRROR_REGISTRIES"

// checksumsVariable gives checksums of files that a mirror builds itself: PATH=SHA256 PATH=SHA256.
const checksumsVariable = "PODIUM_MIRROR_CHECKSUMS"

// mirrorsFromEnvironment takes from the environment what is still empty, and notes where it came from.
func mirrorsFromEnvironment(m *Mirrors, at *Positions, env func(string) string) Problems {
	if env == nil {
		return nil
	}
	for _, f := range mirrorFields(m) {
		if value := strings.TrimSpace(env(f.Variable)); *f.Field == "" && value != "" {
			*f.Field = value
			at.sources[f.Path] = f.Variable
		}
	}
	var problems Problems
	between := func(r rune) bool { return r == ',' || unicode.IsSpace(r) }
	for _, pair := range strings.FieldsFunc(env(registriesVariable), between) {
		registry, mirror, ok := strings.Cut(pair, "=")
		if !ok || registry == "" || mirror == "" {
			problems = append(problems, Problem{Path: registriesVariable, Value: pair,
				Message: "is not REGISTRY=URL: write docker.io=http://mirror.school.example:5000, and spaces between several"})
			continue
		}
		if m.addRegistry(registry, mirror) {
			at.sources[join("mirrors.registries", registry)] = registriesVariable
		}
	}
	for _, pair := range strings.FieldsFunc(env(checksumsVariable), between) {
		path, sum, ok := strings.Cut(pair, "=")
		if !ok {
			problems = append(problems, Problem{Path: checksumsVariable, Value: pair, Message: "is not PATH=SHA256: write the path below the mirror and the checksum"})
			continue
		}
		if m.addChecksum(path, sum) {
			at.sources[join("mirrors.checksums", path)] = checksumsVariable
		}
	}
	return problems
}

// mirrorsFromConfig takes from the user's settings what is still empty, with the places where it stands there.
func mirrorsFromConfig(m *Mirrors, at *Positions, c Config, there Positions) {
	take := func(path string) {
		place := there.marks[path]
		place.file = there.File
		at.marks[path] = place
		delete(at.flawed, path)
	}
	ours, theirs := mirrorFields(m), mirrorFields(&c.Mirrors)
	for i, f := range ours {
		if value := *theirs[i].Field; *f.Field == "" && value != "" {
			*f.Field = value
			take(f.Path)
		}
	}
	for registry, mirror := range c.Mirrors.Registries {
		if m.addRegistry(registry, mirror) {
			take(join("mirrors.registries", registry))
		}
	}
	for path, sum := range c.Mirrors.Checksums {
		if m.addChecksum(path, sum) {
			take(join("mirrors.checksums", path))
		}
	}
}

// addChecksum gives the checksum of a file that has none yet.
func (m *Mirrors) addChecksum(path, sum string) bool {
	if m.Checksums[path] != "" {
		return false
	}
	if m.Checksums == nil {
		m.Checksums = map[string]string{}
	}
	m.Checksums[path] = sum
	return true
}

// addRegistry names the mirror of a registry that has none yet.
func (m *Mirrors) addRegistry(registry, mirror string) bool {
	if m.Registries[registry] != "" {
		return false
	}
	if m.Registries == nil {
		m.Registries = map[string]string{}
	}
	m.Registries[registry] = mirror
	return true
}
