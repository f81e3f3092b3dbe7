package lab

import "strings"

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

// fillMirrors takes from the environment what the file leaves empty, and notes where it came from.
func fillMirrors(m *Mirrors, at *Positions, env func(string) string) {
	if env == nil {
		return
	}
	for _, f := range mirrorFields(m) {
		if *f.Field == "" && strings.TrimSpace(env(f.Variable)) != "" {
			*f.Field = strings.TrimSpace(env(f.Variable))
			at.sources[f.Path] = f.Variable
		}
	}
}
