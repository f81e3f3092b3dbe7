package step

import "time"

// jenkinsSteps: jenkins.
func jenkinsSteps() []Step {
	return []Step{
		{
			Name: "jenkins", About: "Jenkins controller",
			On: jenkins, After: after("base"), Script: "jenkins.sh", Vars: jenkinsVars, Probe: "probe-jenkins.sh",
			Services: []string{"jenkins"}, Timeout: 40 * time.Minute,
			Hint: "on the node: journalctl -u jenkins",
		},
	}
}
