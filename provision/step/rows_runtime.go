package step

import "time"

// runtimeSteps: the container runtimes of a cluster beside containerd. As that one they come after kube-packages:
// kubeadm says which pause image they are to use.
func runtimeSteps() []Step {
	return []Step{
		{
			Name: "cri-dockerd", About: "Docker engine as the container runtime",
			On: withCRIDockerd, After: after("base", "kube-packages", "docker"), Script: "cri-dockerd.sh", Vars: criDockerd,
			Services: []string{"docker", "cri-docker"}, Timeout: 20 * time.Minute,
			Hint: "on the node: journalctl -u cri-docker; docker info",
		},
		{
			Name: "cri-o", About: "CRI-O as the container runtime",
			On: withCRIO, After: after("base", "kube-packages", "docker"), Script: "cri-o.sh", Vars: crio,
			Services: []string{"crio"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u crio; crio config",
		},
	}
}
