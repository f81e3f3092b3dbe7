package step

import "time"

// jenkinsSteps: Jenkins, and what it delivers with.
func jenkinsSteps() []Step {
	return []Step{
		{
			Name: "jenkins", About: "Jenkins controller, configured as code",
			On: jenkins, After: after("base"), Script: "jenkins.sh", Vars: jenkinsVars, Files: jenkinsConfig, Probe: "probe-jenkins.sh",
			Services: []string{"jenkins"}, Timeout: 40 * time.Minute,
			Hint: "on the node: journalctl -u jenkins",
		},
		{
			Name: "registry", About: "a registry for the images that Jenkins builds",
			On: deliveringJenkins, After: after("base"), Script: "registry.sh", Vars: registryVars, Probe: "probe-registry.sh",
			Services: []string{"docker-registry"}, Timeout: 20 * time.Minute,
			Hint: "on the node: journalctl -u docker-registry",
		},
		{
			Name: "registry-trust", About: "the cluster takes images from that registry",
			On: takesDeliveries, After: after("containerd"), Script: "registry-trust.sh", Vars: deliveryRegistry, Timeout: 5 * time.Minute,
			Hint: "on the node: ls /etc/containerd/certs.d",
		},
		{
			Name: "delivery-account", About: "who Jenkins is in the cluster",
			On: makesDeliveryAccount, After: after("kubeadm-init"), Script: "delivery-account.sh", Files: deliveryAccount, Timeout: 10 * time.Minute,
			Hint: "on the control plane: kubectl --namespace " + deliveryNamespace + " get serviceaccounts,roles",
		},
		{
			Name: "delivery", About: "Jenkins may build images and deliver them to the cluster",
			On: deliveringJenkins, After: join(after("docker", "registry", "jenkins"), everywhereAfter("delivery-account")),
			Script: "delivery.sh", Vars: deliveryVars, Inputs: deliveryInput, Probe: "probe-delivery.sh", Timeout: 20 * time.Minute,
			Hint: "on the node: sudo -u jenkins kubectl auth can-i --list",
		},
	}
}
