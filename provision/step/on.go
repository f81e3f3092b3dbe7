package step

import "podium/provision/lab"

func everywhere(Context, lab.Machine) bool { return true }

// kubernetes: the machines of the cluster.
func kubernetes(c Context, m lab.Machine) bool {
	return c.Lab.Kubernetes != nil && (m.HasRole(lab.RoleControlPlane) || m.HasRole(lab.RoleWorker))
}

func withContainerd(c Context, m lab.Machine) bool {
	return kubernetes(c, m) && (c.Lab.Runtime == "containerd" || c.Lab.Runtime == "")
}

// firstControlPlane: the first machine of the lab with that role makes the cluster; the others join it.
func firstControlPlane(c Context, m lab.Machine) bool {
	first, ok := controlPlane(c)
	return ok && c.Lab.Kubernetes != nil && m.Name == first.Name
}

func firstControlPlaneFlannel(c Context, m lab.Machine) bool {
	return firstControlPlane(c, m) && c.Lab.Kubernetes.CNI == "flannel"
}

// worker: a machine of the cluster that is no control plane. A machine with both roles is a control plane.
func worker(c Context, m lab.Machine) bool {
	return kubernetes(c, m) && !m.HasRole(lab.RoleControlPlane)
}

// controlPlane is the first machine with that role.
func controlPlane(c Context) (lab.Machine, bool) {
	for _, m := range c.Machines {
		if m.HasRole(lab.RoleControlPlane) {
			return m, true
		}
	}
	return lab.Machine{}, false
}
