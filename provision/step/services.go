package step

import (
	"fmt"
	"strconv"
	"strings"

	"podium/provision/lab"
	"podium/provision/step/source"
	"podium/templates"
)

// filesDir is where a step's files lie on a node until its script puts them to use.
const filesDir = "/var/lib/podium/files/"

// file is a rendered template in filesDir. Templates are embedded and what goes into them is typed: an error is a
// mistake in this program, which the golden tests would show.
func file(name string, mode uint32, data interface{ Render() (string, error) }) File {
	text, err := data.Render()
	if err != nil {
		panic(fmt.Errorf("%s: %w", name, err))
	}
	return File{Path: filesDir + name, Mode: mode, Text: text}
}

func nodeExporter(Context, lab.Machine) Vars {
	return Vars{"PODIUM_NODE_EXPORTER_VERSION": source.Version("node-exporter")}
}

func prometheus(c Context, _ lab.Machine) Vars {
	return Vars{
		"PODIUM_PROMETHEUS_VERSION":   source.Version("prometheus"),
		"PODIUM_PROMETHEUS_PORT":      strconv.Itoa(c.Lab.Monitoring.PrometheusPort),
		"PODIUM_PROMETHEUS_RETENTION": c.Lab.Monitoring.Retention,
	}
}

func targets(c Context, _ lab.Machine) Vars {
	var names []string
	for _, m := range c.Machines {
		names = append(names, m.Name)
	}
	return Vars{
		"PODIUM_TARGETS":         strings.Join(names, " "),
		"PODIUM_PROMETHEUS_PORT": strconv.Itoa(c.Lab.Monitoring.PrometheusPort),
	}
}

func prometheusConfig(c Context, _ lab.Machine) []File {
	data := templates.Prometheus{Lab: c.Lab.Name, Port: c.Lab.Monitoring.PrometheusPort}
	for _, m := range c.Machines {
		data.Targets = append(data.Targets, templates.Target{Node: m.Name, Address: m.Address.String(), Roles: strings.Join(m.Roles, ",")})
	}
	return []File{file("prometheus.yml", 0o644, data)}
}

func grafana(c Context, _ lab.Machine) Vars {
	return Vars{"PODIUM_GRAFANA_PORT": strconv.Itoa(c.Lab.Monitoring.GrafanaPort)}
}

func grafanaConfig(c Context, _ lab.Machine) []File {
	return []File{
		file("grafana-datasource.yaml", 0o644, templates.GrafanaDatasource{PrometheusPort: c.Lab.Monitoring.PrometheusPort}),
		file("grafana-dashboards.yaml", 0o644, templates.GrafanaDashboards{}),
		file("grafana-nodes.json", 0o644, templates.NodesDashboard{Lab: c.Lab.Name}),
	}
}

func jenkinsVars(c Context, _ lab.Machine) Vars {
	return Vars{"PODIUM_JENKINS_PORT": strconv.Itoa(c.Lab.Jenkins.Port)}
}
