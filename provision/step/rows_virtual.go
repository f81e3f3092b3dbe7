package step

import "time"

// virtualAddressSteps: one address for the API of several control planes, after
// https://github.com/kubernetes/kubeadm/blob/main/docs/ha-considerations.md (services on the operating system), read
// 2026-11-21. They follow the container runtime, so that packages are installed while images are fetched.
func virtualAddressSteps() []Step {
	return []Step{
		{
			Name: "haproxy", About: "connections to the API go to a control plane that works",
			On: behindVirtualAddress, After: after("base", "containerd", "cri-dockerd", "cri-o"), Script: "haproxy.sh", Files: haproxyConfig,
			Services: []string{"haproxy"}, Timeout: 15 * time.Minute,
			Hint: "on the node: journalctl -u haproxy",
		},
		{
			Name: "keepalived", About: "the API's virtual address, on one control plane at a time",
			On: behindVirtualAddress, After: after("haproxy"), Script: "keepalived.sh", Vars: keepalivedVars, Files: checkAPI,
			Probe: "probe-keepalived.sh", Services: []string{"keepalived"}, Timeout: 15 * time.Minute,
			Hint: "on the node: journalctl -u keepalived; ip address",
		},
	}
}
