package step

import (
	"slices"

	"podium/provision/lab"
)

// TakePart lists the machines that have to take part in a run for the sake of some, these included, in the order of the
// lab: a cluster is of no use without its control planes, nor those without etcd.
func TakePart(c Context, names []string) []string {
	taking := map[string]bool{}
	for _, name := range names {
		taking[name] = true
	}
	some := func(on func(Context, lab.Machine) bool) bool {
		return slices.ContainsFunc(c.Machines, func(m lab.Machine) bool { return taking[m.Name] && on(c, m) })
	}
	cluster := some(kubernetes) || some(watchesCluster) || some(deliveringJenkins)
	var list []string
	for _, m := range c.Machines {
		switch {
		case taking[m.Name]:
		case cluster && kubernetes(c, m) && m.HasRole(lab.RoleControlPlane):
		case cluster && servesNFS(c, m):
		case (cluster || some(etcdMember)) && etcdMember(c, m): // most of them have to be up
		default:
			continue
		}
		list = append(list, m.Name)
	}
	return list
}

// takesPart reports whether a machine takes part in this run.
func (c Context) takesPart(name string) bool { return len(c.On) == 0 || slices.Contains(c.On, name) }

// present are the machines that take part in this run: nobody waits for the others.
func (c Context) present() []lab.Machine {
	return slices.DeleteFunc(slices.Clone(c.Machines), func(m lab.Machine) bool { return !c.takesPart(m.Name) })
}
