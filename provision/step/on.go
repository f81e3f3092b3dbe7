package step

import "podium/provision/lab"

func everywhere(Context, lab.Machine) bool { return true }

// kubernetes: the machines of the cluster.
func kubernetes(c Context, m lab.Machine) bool {
	return c.Lab.Kubernetes != nil && (m.HasRole(lab.RoleControlPlane) || m.HasRole(lab.RoleWorker))
}

func withContainerd(c Context, m lab.Machine) bool {
	return kubernetes(c, m) && c.Lab.Runtime == lab.RuntimeContainerd
}

func withCRIDockerd(c Context, m lab.Machine) bool {
	return kubernetes(c, m) && c.Lab.Runtime == lab.RuntimeDocker
}

func withCRIO(c Context, m lab.Machine) bool {
	return kubernetes(c, m) && c.Lab.Runtime == lab.RuntimeCRIO
}

// firstControlPlane: the first machine of the lab with that role makes the cluster; the others join it.
func firstControlPlane(c Context, m lab.Machine) bool {
	first, ok := controlPlane(c)
	return ok && kubernetes(c, m) && m.Name == first.Name
}

func furtherControlPlane(c Context, m lab.Machine) bool {
	return kubernetes(c, m) && m.HasRole(lab.RoleControlPlane) && !firstControlPlane(c, m)
}

// worker: a machine of the cluster that is no control plane. One with both roles is a control plane that takes pods.
func worker(c Context, m lab.Machine) bool {
	return kubernetes(c, m) && !m.HasRole(lab.RoleControlPlane)
}

func withFlannel(c Context, m lab.Machine) bool {
	return firstControlPlane(c, m) && c.Lab.Kubernetes.CNI == lab.CNIFlannel
}

func withBridge(c Context, m lab.Machine) bool {
	return kubernetes(c, m) && c.Lab.Kubernetes.CNI == lab.CNIBridge
}

// docker: the machines with that role, and those of a cluster whose runtime it is.
func docker(c Context, m lab.Machine) bool {
	return c.Lab.Docker != nil && m.HasRole(lab.RoleDocker) || withCRIDockerd(c, m)
}

func jenkins(c Context, m lab.Machine) bool {
	return c.Lab.Jenkins != nil && m.HasRole(lab.RoleJenkins)
}

// monitored: every machine, where the lab is watched at all.
func monitored(c Context, _ lab.Machine) bool {
	if c.Lab.Monitoring == nil {
		return false
	}
	for _, m := range c.Machines {
		if m.HasRole(lab.RoleMonitoring) {
			return true
		}
	}
	return false
}

func monitoring(c Context, m lab.Machine) bool {
	return c.Lab.Monitoring != nil && m.HasRole(lab.RoleMonitoring)
}

func withGrafana(c Context, m lab.Machine) bool {
	return monitoring(c, m) && c.Lab.Monitoring.HasGrafana()
}

// watchesCluster: where Prometheus runs, if there is a cluster to watch.
func watchesCluster(c Context, m lab.Machine) bool {
	return monitoring(c, m) && c.Lab.Kubernetes != nil
}

// watchedCluster: where the cluster is told that it is watched.
func watchedCluster(c Context, m lab.Machine) bool {
	return firstControlPlane(c, m) && monitored(c, m)
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
