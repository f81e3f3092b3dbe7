package step

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"podium/provision/catalogue"
	"podium/provision/lab"
	"podium/templates"
)

// deliveryNamespace is where Jenkins may deliver to.
const deliveryNamespace = "apps"

// jenkinsPlugins are few, for weak lines: configuration as code, declarative pipelines with shell steps, and
// measurements for Prometheus where there is one. What they need comes along.
func jenkinsPlugins(c Context) []string {
	names := []string{"configuration-as-code", "pipeline-model-definition", "workflow-basic-steps", "workflow-durable-task-step", "workflow-job"}
	if watched(c) {
		names = append(names, "prometheus")
	}
	return names
}

// jenkinsTarget is Jenkins as Prometheus asks it; nil if the lab has none.
func jenkinsTarget(c Context) *templates.Target {
	for _, m := range c.Machines {
		if jenkins(c, m) {
			return &templates.Target{Node: m.Name, Address: net.JoinHostPort(m.Address.String(), strconv.Itoa(c.Lab.Jenkins.Port))}
		}
	}
	return nil
}

func jenkinsVars(c Context, _ lab.Machine) Vars {
	manager := catalogue.Version("jenkins-plugin-manager")
	return Vars{
		"PODIUM_JENKINS_PORT":                   strconv.Itoa(c.Lab.Jenkins.Port),
		"PODIUM_JENKINS_PLUGINS":                strings.Join(jenkinsPlugins(c), " "),
		"PODIUM_JENKINS_PLUGIN_MANAGER_VERSION": manager,
	}.downloading(c, "jenkins-plugin-manager", manager)
}

func jenkinsConfig(c Context, m lab.Machine) []File {
	return []File{file("jenkins.yaml", 0o644, templates.Jenkins{
		Lab: c.Lab.Name, URL: fmt.Sprintf("http://%s/", net.JoinHostPort(m.Address.String(), strconv.Itoa(c.Lab.Jenkins.Port))), Executors: m.CPUs,
	})}
}

// delivers: Jenkins builds images for the lab's cluster.
func delivers(c Context) bool {
	return c.Lab.Kubernetes != nil && c.Lab.Jenkins != nil && c.Lab.Jenkins.Registry != 0
}

func deliveringJenkins(c Context, m lab.Machine) bool { return delivers(c) && jenkins(c, m) }

// takesDeliveries: the machines that run what Jenkins has built.
func takesDeliveries(c Context, m lab.Machine) bool { return delivers(c) && kubernetes(c, m) }

func makesDeliveryAccount(c Context, m lab.Machine) bool {
	return delivers(c) && firstControlPlane(c, m)
}

// deliveryRegistry is host and port of the registry, as the cluster's nodes see it.
func deliveryRegistry(c Context, _ lab.Machine) Vars {
	for _, m := range c.Machines {
		if jenkins(c, m) {
			return Vars{"PODIUM_DELIVERY_REGISTRY": net.JoinHostPort(m.Address.String(), strconv.Itoa(c.Lab.Jenkins.Registry))}
		}
	}
	return nil // lab.Validate has refused it
}

func registryVars(c Context, _ lab.Machine) Vars {
	return Vars{"PODIUM_REGISTRY_PORT": strconv.Itoa(c.Lab.Jenkins.Registry)}
}

func deliveryAccount(Context, lab.Machine) []File {
	return []File{file("delivery-account.yaml", 0o644, templates.DeliveryAccount{Namespace: deliveryNamespace})}
}

func deliveryVars(c Context, m lab.Machine) Vars {
	v := kubeVersion(c, m)
	v["PODIUM_API"] = "https://" + net.JoinHostPort(APIName, apiPort)
	v["PODIUM_DELIVERY_NAMESPACE"] = deliveryNamespace
	v["PODIUM_DELIVERY_REGISTRY"] = deliveryRegistry(c, m)["PODIUM_DELIVERY_REGISTRY"]
	return v
}

func deliveryInput(c Context, _ lab.Machine) []Input {
	first, _ := controlPlane(c)
	return []Input{{Node: first.Name, Script: "input-delivery.sh", Vars: Vars{"PODIUM_DELIVERY_NAMESPACE": deliveryNamespace}}}
}
