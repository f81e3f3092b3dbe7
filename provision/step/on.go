package step

import (
	"slices"

	"podium/provision/lab"
)

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

// worker: a machine of the cluster that is not a control plane. One with both roles is a control plane that takes pods.
func worker(c Context, m lab.Machine) bool {
	return kubernetes(c, m) && !m.HasRole(lab.RoleControlPlane)
}

func withFlannel(c Context, m lab.Machine) bool {
	return firstControlPlane(c, m) && c.Lab.Kubernetes.CNI == lab.CNIFlannel
}

func withCalico(c Context, m lab.Machine) bool {
	return firstControlPlane(c, m) && c.Lab.Kubernetes.CNI == lab.CNICalico
}

func withCilium(c Context, m lab.Machine) bool {
	return firstControlPlane(c, m) && c.Lab.Kubernetes.CNI == lab.CNICilium
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

// watched: the lab has a place to be watched from: a machine, or its cluster.
func watched(c Context) bool {
	if c.Lab.Monitoring == nil {
		return false
	}
	return inCluster(c) || slices.ContainsFunc(c.Machines, func(m lab.Machine) bool { return m.HasRole(lab.RoleMonitoring) })
}

// inCluster: monitoring is pods.
func inCluster(c Context) bool {
	return c.Lab.Monitoring != nil && c.Lab.Monitoring.Place == lab.PlaceCluster && c.Lab.Kubernetes != nil
}

// monitored: every machine of a lab that is watched; but where monitoring is pods, one of them measures each node.
func monitored(c Context, m lab.Machine) bool {
	return watched(c) && !(inCluster(c) && kubernetes(c, m))
}

func monitoring(c Context, m lab.Machine) bool {
	return c.Lab.Monitoring != nil && !inCluster(c) && m.HasRole(lab.RoleMonitoring)
}

func withGrafana(c Context, m lab.Machine) bool {
	return monitoring(c, m) && c.Lab.Monitoring.HasGrafana()
}

// monitoringPods: where monitoring is pods, the machine that asks for them.
func monitoringPods(c Context, m lab.Machine) bool { return inCluster(c) && firstControlPlane(c, m) }

// watchesCluster: where Prometheus runs, if there is a cluster to watch.
func watchesCluster(c Context, m lab.Machine) bool {
	return monitoring(c, m) && c.Lab.Kubernetes != nil
}

// watchedCluster: where the cluster is told that it is watched.
func watchedCluster(c Context, m lab.Machine) bool {
	return firstControlPlane(c, m) && watched(c)
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

// watching: the machine on which Prometheus can be asked.
func watching(c Context, m lab.Machine) bool { return monitoring(c, m) || monitoringPods(c, m) }
