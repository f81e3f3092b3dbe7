package exercise

import (
	"fmt"
	"slices"
	"strings"

	"podium/provision/exercise/check"
	"podium/provision/lab"
	"podium/provision/version"
)

// Unmet lists what a lab lacks of what the exercise needs, in words of lab.yaml; exercises to do before are not among it.
func (e *Exercise) Unmet(l lab.Lab) []string {
	var lacks []string
	for _, role := range e.Needs.Roles {
		if len(NodesOf(l, role)) == 0 {
			lacks = append(lacks, "roles: ["+role+"]")
		}
	}
	for _, node := range e.Needs.Nodes {
		if len(NodesOf(l, node)) == 0 {
			lacks = append(lacks, "nodes: "+node)
		}
	}
	for _, addon := range e.Needs.Addons {
		if !l.HasAddon(addon) {
			lacks = append(lacks, "addons: ["+addon+"]")
		}
	}
	if operator, want, ok := versionNeed(e.Needs.Kubernetes); ok && (l.Kubernetes == nil || !fits(l.Kubernetes.Version, operator, want)) {
		lacks = append(lacks, "kubernetes: "+e.Needs.Kubernetes)
	}
	if len(e.Needs.CNI) > 0 && (l.Kubernetes == nil || !slices.Contains(e.Needs.CNI, l.Kubernetes.CNI)) {
		lacks = append(lacks, "cni: "+strings.Join(e.Needs.CNI, ", "))
	}
	if e.Needs.VM && l.Provider == lab.ProviderIncus && (l.Incus == nil || l.Incus.Instance != lab.InstanceVM) {
		lacks = append(lacks, "incus: {instance: vm}")
	}
	return lacks
}

func fits(is, operator, want string) bool {
	order := version.Compare(version.Minor(is), want)
	return operator == ">=" && order >= 0 || operator == "<" && order < 0
}

// Nodes lists where a check is asked: what on says, or else the first node that its kind fits. The error says that the
// lab has none.
func Nodes(l lab.Lab, c *check.Check) ([]string, error) {
	if c.Kind().Probe() == "" {
		return nil, nil
	}
	on := c.On
	if on == "" {
		on = fitting(c)
	}
	return targets(l, on, c.On == "")
}

// fitting is the role of the nodes that a kind fits; empty: any.
func fitting(c *check.Check) string {
	switch {
	case c.Kube != nil, c.DNS != nil && c.DNS.Server == "cluster", c.HTTP != nil && strings.Contains(c.HTTP.URL, ".svc"):
		return lab.RoleControlPlane
	case c.Container != nil, c.Image != nil:
		return lab.RoleDocker
	case c.Jenkins != nil:
		return lab.RoleJenkins
	case c.PromQL != nil:
		return lab.RoleMonitoring
	}
	return ""
}

// ScriptNodes lists where a script runs.
func ScriptNodes(l lab.Lab, s Script) ([]string, error) {
	return targets(l, s.On, s.On == "")
}

// targets are the nodes that on means; one where the author named none: the first control plane, else the first node.
func targets(l lab.Lab, on string, one bool) ([]string, error) {
	names := NodesOf(l, on)
	if one && len(names) == 0 {
		if names = NodesOf(l, lab.RoleControlPlane); len(names) == 0 {
			names = NodesOf(l, "all")
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w %q", ErrNoNode, on)
	}
	if one {
		names = names[:1]
	}
	return names, nil
}
