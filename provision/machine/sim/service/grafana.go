package service

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"podium/provision/machine/sim/guest"
)

// grafana reads its settings from the environment and its provisioning files.
func grafana(ctx context.Context, p *guest.Process) int {
	f, rest := flags(p.Args[1:])
	if f["v"] != "" || f["version"] != "" {
		p.Printf("grafana version %s (simulated)\n", p.Version)
		return 0
	}
	if p.Exe == "grafana" && (len(rest) == 0 || rest[0] != "server") {
		return p.Fail(1, "the simulator's model has only: grafana server")
	}
	n := 3000
	if v := p.Getenv("GF_SERVER_HTTP_PORT"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			p.Errorf("logger=server level=error msg=\"invalid http_port\"")
			return 1
		}
	}
	g := &grafanaServer{user: "admin", password: p.Getenv("GF_SECURITY_ADMIN_PASSWORD"), sources: map[string]string{}, boards: map[string]string{}}
	if g.password == "" {
		g.password = "admin"
	}
	// The password counts only when the database is first made.
	const db = "/var/lib/grafana/grafana.db"
	if text, err := p.FS().ReadFile(p.Cred, db); err == nil {
		g.password = strings.TrimSpace(text)
	} else if err := p.FS().WriteFile(p.Cred, db, g.password+"\n", 0o640); err != nil {
		p.Errorf("logger=sqlstore level=error msg=\"failed to connect to database\" error=%q", guest.Reason(err))
		return 1
	}
	if err := g.provision(p); err != nil {
		p.Errorf("logger=provisioning level=error msg=%q", err)
		return 1
	}
	return serve(ctx, p, n, g)
}

type grafanaServer struct {
	user, password  string
	sources, boards map[string]string // uid: JSON
}

// provision reads data sources and dashboards.
func (g *grafanaServer) provision(p *guest.Process) error {
	fs := p.FS()
	read := func(dir string, into any) error {
		entries, err := fs.ReadDir(p.Cred, dir)
		if err != nil {
			return nil
		}
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".yaml") && !strings.HasSuffix(e.Name(), ".yml") {
				continue
			}
			text, err := fs.ReadFile(p.Cred, dir+"/"+e.Name())
			if err != nil {
				return fmt.Errorf("%s: %s", e.Name(), guest.Reason(err))
			}
			if err := yaml.Unmarshal([]byte(text), into); err != nil {
				return fmt.Errorf("%s: %w", e.Name(), err)
			}
		}
		return nil
	}
	var sources struct {
		Datasources []struct{ Name, UID, Type, URL string }
	}
	if err := read("/etc/grafana/provisioning/datasources", &sources); err != nil {
		return err
	}
	for _, s := range sources.Datasources {
		text, _ := json.Marshal(map[string]string{"name": s.Name, "uid": s.UID, "type": s.Type, "url": s.URL})
		g.sources[s.UID] = string(text)
	}
	var providers struct {
		Providers []struct{ Options struct{ Path string } }
	}
	if err := read("/etc/grafana/provisioning/dashboards", &providers); err != nil {
		return err
	}
	for _, pr := range providers.Providers {
		entries, _ := fs.ReadDir(p.Cred, pr.Options.Path)
		for _, e := range entries {
			text, err := fs.ReadFile(p.Cred, pr.Options.Path+"/"+e.Name())
			if err != nil {
				continue
			}
			var board struct{ UID, Title string }
			if err := json.Unmarshal([]byte(text), &board); err != nil {
				p.Errorf("logger=provisioning.dashboard level=error msg=\"failed to load dashboard from \" file=%s error=%q", e.Name(), err)
				continue
			}
			g.boards[board.UID] = text
		}
	}
	return nil
}

// Serve answers Grafana's API.
func (g *grafanaServer) Serve(_ context.Context, r guest.Request) guest.Response {
	if r.Path == "/api/health" {
		return guest.Response{Code: 200, Body: "{\n  \"database\": \"ok\",\n  \"version\": \"simulated\"\n}\n"}
	}
	if !strings.HasPrefix(r.Path, "/api/") {
		return guest.Response{Code: 200, Body: "<title>Grafana (simulated)</title>\n"}
	}
	if r.Header["Authorization"] != "Basic "+base64.StdEncoding.EncodeToString([]byte(g.user+":"+g.password)) {
		return guest.Response{Code: 401, Body: "{\"message\":\"Invalid username or password\"}"}
	}
	if uid, ok := strings.CutPrefix(r.Path, "/api/datasources/uid/"); ok && g.sources[uid] != "" {
		return guest.Response{Code: 200, Body: g.sources[uid]}
	}
	if uid, ok := strings.CutPrefix(r.Path, "/api/dashboards/uid/"); ok && g.boards[uid] != "" {
		return guest.Response{Code: 200, Body: "{\"dashboard\":" + g.boards[uid] + "}"}
	}
	if r.Path == "/api/datasources" {
		var all []string
		for _, s := range g.sources {
			all = append(all, s)
		}
		return guest.Response{Code: 200, Body: "[" + strings.Join(all, ",") + "]"}
	}
	return guest.Response{Code: 404, Body: "{\"message\":\"Not found\"}"}
}
