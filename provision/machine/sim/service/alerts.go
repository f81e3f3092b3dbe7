package service

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

// readRules checks a file of alerting rules as far as the model knows them; it does not evaluate them.
func readRules(m *guest.Machine, cred vfs.Cred, file string) error {
	text, err := m.FS.ReadFile(cred, file)
	if err != nil {
		return fmt.Errorf("open %s: %s", file, strings.ToLower(guest.Reason(err)))
	}
	var rules struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := strict(text, &rules); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, g := range rules.Groups {
		for i, r := range g.Rules {
			if r.Alert == "" || strings.TrimSpace(r.Expr) == "" {
				return fmt.Errorf("%s: group %q, rule %d: one of 'record' or 'alert' must be set, and 'expr'", file, g.Name, i)
			}
		}
	}
	return nil
}

func strict(text string, into any) error {
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	return d.Decode(into)
}

// alertConfig is alertmanager.yml as far as the model reads it.
type alertConfig struct {
	Global any `yaml:"global"`
	Route  struct {
		Receiver string   `yaml:"receiver"`
		GroupBy  []string `yaml:"group_by"`
		Wait     string   `yaml:"group_wait"`
		Interval string   `yaml:"group_interval"`
		Repeat   string   `yaml:"repeat_interval"`
		Routes   []any    `yaml:"routes"`
	} `yaml:"route"`
	Inhibit   []any `yaml:"inhibit_rules"`
	Receivers []struct {
		Name     string `yaml:"name"`
		Webhooks []struct {
			URL          string `yaml:"url"`
			SendResolved bool   `yaml:"send_resolved"`
		} `yaml:"webhook_configs"`
	} `yaml:"receivers"`
}

func readAlertConfig(m *guest.Machine, cred vfs.Cred, file string) error {
	text, err := m.FS.ReadFile(cred, file)
	if err != nil {
		return fmt.Errorf("open %s: %s", file, strings.ToLower(guest.Reason(err)))
	}
	var c alertConfig
	if err := strict(text, &c); err != nil {
		return err
	}
	for _, r := range c.Receivers {
		if r.Name == c.Route.Receiver && r.Name != "" {
			return nil
		}
	}
	return fmt.Errorf("undefined receiver %q used in route", c.Route.Receiver)
}

// alertmanager reads its configuration and takes alerts: the model's Prometheus sends none.
func alertmanager(ctx context.Context, p *guest.Process) int {
	f, rest := flags(p.Args[1:])
	if f["version"] != "" {
		p.Printf("alertmanager, version %s (branch: simulated)\n", p.Version)
		return 0
	}
	known := strings.Fields("config.file storage.path web.listen-address web.external-url cluster.listen-address log.level data.retention")
	for name := range f {
		if !slices.Contains(known, name) {
			p.Errorf("alertmanager: error: unknown long flag '--%s'", name)
			return 1
		}
	}
	if len(rest) > 0 {
		p.Errorf("alertmanager: error: unexpected %s", rest[0])
		return 1
	}
	n, err := port(f["web.listen-address"], 9093)
	if err == nil {
		err = readAlertConfig(p.Machine(), p.Cred, f["config.file"])
	}
	if err == nil {
		err = p.FS().WriteFile(p.Cred, f["storage.path"]+"/nflog", "", 0o644)
	}
	if err != nil {
		p.Errorf("level=error msg=\"Loading configuration file failed\" err=%q", err)
		return 1
	}
	return serve(ctx, p, n, alerts())
}

// alerts is Alertmanager's server.
func alerts() guest.Handler {
	return guest.HandlerFunc(func(_ context.Context, r guest.Request) guest.Response {
		switch path, _, _ := strings.Cut(r.Path, "?"); path {
		case "/-/ready", "/-/healthy":
			return guest.Response{Code: 200, Body: "OK"}
		case "/metrics":
			return guest.Response{Code: 200, Body: "alertmanager_build_info 1\n"}
		case "/api/v2/alerts":
			return jsonAnswer([]any{})
		case "/":
			return guest.Response{Code: 200, Body: "<title>Alertmanager (simulated)</title>\n"}
		}
		return guest.Response{Code: 404, Body: "404 page not found\n"}
	})
}

// amtool checks configurations.
func amtool(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "", option.GNU)
	if !ok {
		return 1
	}
	if len(o.Args) != 2 || o.Args[0] != "check-config" {
		return p.Fail(1, "the simulator's model has only: amtool check-config FILE")
	}
	p.Printf("Checking '%s'", o.Args[1])
	if err := readAlertConfig(p.Machine(), p.Cred, p.Path(o.Args[1])); err != nil {
		p.Printf("  FAILED: %v\n", err)
		return 1
	}
	p.Print("  SUCCESS\n")
	return 0
}
