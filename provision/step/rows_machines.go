package step

import "time"

// machineSteps: what every machine gets, and what prepares one for containers.
func machineSteps() []Step {
	return []Step{
		{
			Name: "hosts", About: "the nodes' names and addresses",
			On: everywhere, Script: "hosts.sh", Timeout: 5 * time.Minute,
			Hint: "on the node: cat /etc/hosts",
		},
		{
			Name: "base", About: "package sources, proxy, resolvers, clock",
			On: everywhere, After: after("hosts"), Script: "base.sh", Timeout: 30 * time.Minute,
			Hint: "does the node reach its package archive? on the node: sudo apt-get update",
		},
		{
			Name: "kernel", About: "swap off, kernel modules and settings for Kubernetes",
			On: kubernetes, After: after("base"), Script: "kernel.sh", Vars: kernelVars, Timeout: 5 * time.Minute,
			Hint: "on the node: swapon; lsmod; sysctl net.ipv4.ip_forward",
		},
	}
}

// dockerSteps: the Docker engine alone.
func dockerSteps() []Step {
	return []Step{
		{
			Name: "docker", About: "Docker engine, buildx and compose",
			// After kernel: where Docker turns forwarding on itself, it has the firewall drop what pods send.
			On: docker, After: after("base", "kernel"), Script: "docker.sh", Vars: dockerVars, Probe: "probe-docker.sh",
			Services: []string{"docker"}, Timeout: 30 * time.Minute,
			Hint: "on the node: journalctl -u docker",
		},
	}
}
