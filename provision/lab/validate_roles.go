package lab

import (
	"fmt"
	"slices"
)

// roles checks that roles and sections belong together, and how many machines have a role.
func (c *checker) roles() {
	count, where := c.countRoles()
	l := c.lab
	for _, s := range []struct {
		role, section string
		written       bool
		what          string
	}{
		{RoleControlPlane, "kubernetes", l.Kubernetes != nil, "needs a cluster to belong to: write the section kubernetes: {}"},
		{RoleWorker, "kubernetes", l.Kubernetes != nil, "needs a cluster to belong to: write the section kubernetes: {}"},
		{RoleEtcd, "kubernetes", l.Kubernetes != nil, "needs a cluster to keep the data of: write the section kubernetes: {etcd: external}"},
		{RoleMonitoring, "monitoring", l.Monitoring != nil, "needs to know what to watch with: write the section monitoring: {}"},
		{RoleDocker, "docker", l.Docker != nil, ""}, // Default adds these two sections
		{RoleJenkins, "jenkins", l.Jenkins != nil, ""},
	} {
		if s.role == RoleMonitoring && l.Monitoring != nil && l.Monitoring.Place == PlaceCluster {
			if count[s.role] > 0 {
				c.bad(where[s.role], s.role, "has no use with monitoring.place: %s: leave it out, or write place: %s", PlaceCluster, PlaceMachine)
			}
			continue
		}
		switch {
		case count[s.role] > 0 && !s.written && s.what != "" && !c.at.silent(s.section):
			c.bad(where[s.role], s.role, "%s", s.what)
		case count[s.role] == 0 && s.written && s.role != RoleWorker && s.role != RoleEtcd && !c.unsure(s.role):
			if s.role == RoleControlPlane && count[RoleWorker] > 0 {
				c.bad(where[RoleWorker], RoleWorker, "has no cluster to join: give one node the role %s", RoleControlPlane)
				continue
			}
			c.bad(s.section, "", "has no use, as no node has the role %s: give it to one, or leave the section out", s.role)
		}
	}
	c.etcd(count, where)
	for _, role := range []string{RoleJenkins, RoleMonitoring, RoleNFS} {
		if count[role] > 1 {
			c.bad(where[role], role, "is the role of %d machines: give it to one", count[role])
		}
	}
}

// countRoles counts the machines that have a role, and says where each is named first.
func (c *checker) countRoles() (count map[string]int, where map[string]string) {
	count, where = map[string]int{}, map[string]string{}
	for i, n := range c.lab.Nodes {
		for j, role := range n.Roles {
			if slices.Contains(n.Roles[:j], role) {
				continue
			}
			if count[role] == 0 {
				where[role] = fmt.Sprintf("nodes[%d].roles[%d]", i, j)
			}
			count[role] += min(copies(n), maxMachines)
		}
	}
	return count, where
}

// unsure reports whether more machines may be meant to have the role than have it: the roles of a node could not be
// read, or one of them is misspelt. Who misses the role then misses what is there.
func (c *checker) unsure(role string) bool {
	if c.at.silent("nodes") {
		return true
	}
	for i, n := range c.lab.Nodes {
		path := fmt.Sprintf("nodes[%d]", i)
		if c.at.silent(path+".roles") || c.at.silent(path+".count") {
			return true
		}
		for j, r := range n.Roles {
			meant := nearest(r, Roles())
			if c.at.silent(fmt.Sprintf("%s.roles[%d]", path, j)) || !slices.Contains(Roles(), r) && (meant == "" || meant == role) {
				return true
			}
		}
	}
	return false
}
