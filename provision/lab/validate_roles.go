package lab

import (
	"fmt"
	"slices"
)

// roles checks that roles and sections belong together, and how many machines have a role.
func (c *checker) roles() {
	l := c.lab
	if c.rolesUnknown() {
		return
	}
	count := map[string]int{}
	where := map[string]string{} // where a role is named first
	for i, n := range l.Nodes {
		for j, role := range n.Roles {
			if count[role] == 0 {
				where[role] = fmt.Sprintf("nodes[%d].roles[%d]", i, j)
			}
			if !slices.Contains(n.Roles[:j], role) {
				count[role] += min(copies(n), maxMachines)
			}
		}
	}
	members := count[RoleControlPlane]
	for _, role := range []string{RoleControlPlane, RoleWorker} {
		if count[role] > 0 && l.Kubernetes == nil && !c.at.silent("kubernetes") {
			c.bad(where[role], role, "needs a cluster to belong to: write the section kubernetes: {}")
		}
	}
	switch {
	case l.Kubernetes == nil:
	case members == 0 && count[RoleWorker] == 0:
		c.unused("kubernetes", RoleControlPlane)
	case members == 0:
		c.bad(where[RoleWorker], RoleWorker, "has no cluster to join: give one node the role %s", RoleControlPlane)
	case members%2 == 0:
		c.bad(where[RoleControlPlane], RoleControlPlane, "is the role of %d nodes, an even number of etcd members, which outlives no more failures than one fewer: make it %d or %d", members, members-1, members+1)
	}
	if count[RoleMonitoring] > 0 && l.Monitoring == nil && !c.at.silent("monitoring") {
		c.bad(where[RoleMonitoring], RoleMonitoring, "needs to know what to watch with: write the section monitoring: {}")
	}
	for _, s := range []struct {
		role    string
		section bool
	}{
		{RoleMonitoring, l.Monitoring != nil},
		{RoleJenkins, l.Jenkins != nil},
		{RoleDocker, l.Docker != nil},
	} {
		if s.section && count[s.role] == 0 {
			c.unused(s.role, s.role)
		}
	}
	for _, role := range []string{RoleJenkins, RoleMonitoring} {
		if count[role] > 1 {
			c.bad(where[role], role, "is the role of %d machines: give it to one", count[role])
		}
	}
}

// rolesUnknown reports whether the roles of some node could not be read, or are misspelt: who misses a role then, or
// counts the machines that have it, misses what is there.
func (c *checker) rolesUnknown() bool {
	if c.at.silent("nodes") {
		return true
	}
	for i, n := range c.lab.Nodes {
		path := fmt.Sprintf("nodes[%d]", i)
		if c.at.silent(path+".roles") || c.at.silent(path+".count") {
			return true
		}
		for j, role := range n.Roles {
			if c.at.silent(fmt.Sprintf("%s.roles[%d]", path, j)) || !slices.Contains(Roles(), role) {
				return true
			}
		}
	}
	return false
}

// unused reports a section that no node makes use of.
func (c *checker) unused(section, role string) {
	c.bad(section, "", "has no use, as no node has the role %s: give it to one, or leave the section out", role)
}
