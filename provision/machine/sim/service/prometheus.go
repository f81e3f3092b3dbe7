package service

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// promConfig is prometheus.yml as far as the model reads it.
type promConfig struct {
	Global  map[string]any `yaml:"global"`
	Scrapes []promJob      `yaml:"scrape_configs"`
	Rules   []string       `yaml:"rule_files"`
	Alert   any            `yaml:"alerting"`
}

type promJob struct {
	Name     string `yaml:"job_name"`
	Scheme   string `yaml:"scheme"`
	Path     string `yaml:"metrics_path"`
	Interval string `yaml:"scrape_interval"`
	Timeout  string `yaml:"scrape_timeout"`
	Static   []struct {
		Targets []string          `yaml:"targets"`
		Labels  map[string]string `yaml:"labels"`
	} `yaml:"static_configs"`
	Auth struct {
		File string `yaml:"credentials_file"`
	} `yaml:"authorization"`
	TLS struct {
		CA string `yaml:"ca_file"`
	} `yaml:"tls_config"`
	Kubernetes any `yaml:"kubernetes_sd_configs"`
	Relabel    any `yaml:"relabel_configs"`
}

func readPrometheus(m *guest.Machine, cred vfs.Cred, file string) (*promConfig, error) {
	text, err := m.FS.ReadFile(cred, file)
	if err != nil {
		return nil, fmt.Errorf("open %s: %s", file, strings.ToLower(guest.Reason(err)))
	}
	c, err := parsePrometheus(text, file)
	if err != nil {
		return nil, err
	}
	for _, j := range c.Scrapes {
		for _, f := range []string{j.Auth.File, j.TLS.CA} {
			if _, err := m.FS.Stat(vfs.Root(), f); f != "" && err != nil {
				return nil, fmt.Errorf("job %q: error checking file %q: %s", j.Name, f, guest.Reason(err))
			}
		}
	}
	for _, f := range c.Rules {
		if err := readRules(m, cred, f); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func parsePrometheus(text, file string) (*promConfig, error) {
	c := &promConfig{}
	if err := strict(text, c); err != nil {
		return nil, fmt.Errorf("parsing YAML file %s: %w", file, err)
	}
	seen := map[string]bool{}
	for i, j := range c.Scrapes {
		if j.Name == "" {
			return nil, fmt.Errorf("parsing YAML file %s: job_name is empty (scrape_configs[%d])", file, i)
		}
		if seen[j.Name] {
			return nil, fmt.Errorf("parsing YAML file %s: found multiple scrape configs with job name %q", file, j.Name)
		}
		seen[j.Name] = true
	}
	return c, nil
}

// knownFlags are those of Prometheus 2 and 3 that labs use.
func knownFlags() []string {
	return strings.Fields("config.file web.listen-address web.external-url web.enable-lifecycle web.enable-admin-api web.console.templates web.console.libraries web.config.file " +
		"storage.tsdb.path storage.tsdb.retention storage.tsdb.retention.time storage.tsdb.retention.size storage.tsdb.wal-compression log.level log.format enable-feature version web.page-title query.timeout")
}

func prometheus(ctx context.Context, p *guest.Process) int {
	f, rest := flags(p.Args[1:])
	if f["version"] != "" {
		p.Printf("prometheus, version %s (branch: simulated)\n", p.Version)
		return 0
	}
	for name := range f {
		if !slices.Contains(knownFlags(), name) {
			p.Errorf("Error parsing command line arguments: unknown long flag '--%s'\nprometheus: error: unknown long flag '--%s'", name, name)
			return 1
		}
	}
	if len(rest) > 0 {
		p.Errorf("Error parsing command line arguments: unexpected %s", rest[0])
		return 1
	}
	n, err := port(f["web.listen-address"], 9090)
	if err != nil {
		p.Errorf("%v", err)
		return 1
	}
	if v := f["storage.tsdb.retention.time"]; v != "" {
		if strings.Trim(v, "0123456789ywdhms") != "" || strings.Trim(v, "0123456789") == "" {
			p.Errorf("prometheus: error: not a valid duration string: %q", v)
			return 1
		}
	}
	file, data := f["config.file"], f["storage.tsdb.path"]
	if file == "" {
		file = "/etc/prometheus/prometheus.yml"
	}
	if data == "" {
		data = "/var/lib/prometheus"
	}
	c, err := readPrometheus(p.Machine(), p.Cred, file)
	if err != nil {
		p.Errorf("ts=simulated level=error msg=\"Error loading config (--config.file=%s)\" err=%q", file, err)
		return 2
	}
	if err := p.FS().MkdirAll(p.Cred, data, 0o755); err == nil {
		err = p.FS().WriteFile(p.Cred, path.Join(data, "lock"), "", 0o644)
		if err != nil {
			p.Errorf("opening storage failed: lock DB directory: open %s/lock: permission denied", data)
			return 1
		}
	} else {
		p.Errorf("opening storage failed: mkdir %s: %s", data, guest.Reason(err))
		return 1
	}
	s := &promServer{machine: p.Machine(), config: c, token: func(file string) (string, error) { return p.FS().ReadFile(p.Cred, file) }}
	s.dial = func(ctx context.Context, host string, port int) (guest.Handler, error) {
		return s.machine.Net.Dial(ctx, s.machine, host, port)
	}
	p.OnSignal(func(sig guest.Signal) bool {
		if sig != guest.SIGHUP {
			return false
		}
		if c, err := readPrometheus(p.Machine(), p.Cred, file); err == nil {
			s.set(c)
		}
		return true
	})
	return serve(ctx, p, n, s)
}

type promServer struct {
	machine *guest.Machine // it runs on
	config  *promConfig
	token   func(file string) (string, error)
	dial    func(ctx context.Context, host string, port int) (guest.Handler, error)
}

func (s *promServer) set(c *promConfig) { s.config = c }

// target is one scrape target and whether it answers now.
type target struct {
	job, address string
	labels       map[string]string
	up           bool
	err          string
}

// targets asks every target, now.
func (s *promServer) targets(ctx context.Context) []target {
	var list []target
	for _, j := range s.config.Scrapes {
		file := j.Path
		if file == "" {
			file = "/metrics"
		}
		for _, static := range j.Static {
			for _, address := range static.Targets {
				t := target{job: j.Name, address: address, labels: static.Labels}
				host, p, _ := strings.Cut(address, ":")
				n, err := strconv.Atoi(p)
				if err == nil {
					var h guest.Handler
					if h, err = s.dial(ctx, host, n); err == nil {
						r := h.Serve(ctx, guest.Request{From: s.machine, Method: "GET", Host: address, Path: file, Header: s.authorization(j)})
						if t.up = r.Code == 200; !t.up {
							err = fmt.Errorf("server returned HTTP status %d", r.Code)
						}
					}
				}
				if err != nil {
					t.err = err.Error()
				}
				list = append(list, t)
			}
		}
	}
	return list
}

// authorization is what a job shows of itself. A token that Prometheus may not read is not shown.
func (s *promServer) authorization(j promJob) map[string]string {
	if j.Auth.File == "" {
		return nil
	}
	token, err := s.token(j.Auth.File)
	if err != nil {
		return nil
	}
	return map[string]string{"Authorization": "Bearer " + strings.TrimSpace(token)}
}

// Serve answers Prometheus's API.
func (s *promServer) Serve(ctx context.Context, r guest.Request) guest.Response {
	u, err := url.Parse(r.Path)
	if err != nil {
		return guest.Response{Code: 400}
	}
	switch u.Path {
	case "/-/ready", "/-/healthy":
		return guest.Response{Code: 200, Body: "Prometheus Server is Ready. (simulated)\n"}
	case "/metrics":
		return guest.Response{Code: 200, Body: "prometheus_build_info 1\n"}
	case "/api/v1/targets":
		var active []map[string]any
		for _, t := range s.targets(ctx) {
			labels := map[string]string{"instance": t.address, "job": t.job}
			for k, v := range t.labels {
				labels[k] = v
			}
			health := map[bool]string{true: "up", false: "down"}[t.up]
			active = append(active, map[string]any{"labels": labels, "scrapeUrl": "http://" + t.address + "/metrics", "health": health, "lastError": t.err})
		}
		return jsonAnswer(map[string]any{"status": "success", "data": map[string]any{"activeTargets": active, "droppedTargets": []any{}}})
	case "/api/v1/query":
		return s.query(ctx, u.Query().Get("query"))
	}
	if u.Path == "/" || strings.HasPrefix(u.Path, "/graph") || strings.HasPrefix(u.Path, "/query") {
		return guest.Response{Code: 200, Body: "<title>Prometheus (simulated)</title>\n"}
	}
	return guest.Response{Code: 404, Body: "404 page not found\n"}
}

// query knows the metric up, with label matchers and a comparison with 1 or 0.
func (s *promServer) query(ctx context.Context, q string) guest.Response {
	rest, ok := strings.CutPrefix(strings.TrimSpace(q), "up")
	if !ok {
		return jsonAnswer(map[string]any{"status": "error", "errorType": "bad_data", "error": "the simulator's model knows only the metric up"})
	}
	matchers := map[string]string{}
	if inner, after, has := strings.Cut(strings.TrimPrefix(strings.TrimSpace(rest), "{"), "}"); has && strings.HasPrefix(strings.TrimSpace(rest), "{") {
		rest = after
		for part := range strings.SplitSeq(inner, ",") {
			k, v, _ := strings.Cut(part, "=")
			matchers[strings.TrimSpace(k)] = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	want := ""
	if _, v, has := strings.Cut(rest, "=="); has {
		want = strings.TrimSpace(v)
	}
	result := []any{}
	for _, t := range s.targets(ctx) {
		labels := map[string]string{"__name__": "up", "instance": t.address, "job": t.job}
		for k, v := range t.labels {
			labels[k] = v
		}
		value := map[bool]string{true: "1", false: "0"}[t.up]
		fits := want == "" || want == value
		for k, v := range matchers {
			fits = fits && labels[k] == v
		}
		if fits {
			result = append(result, map[string]any{"metric": labels, "value": []any{float64(time.Now().Unix()), value}})
		}
	}
	return jsonAnswer(map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": result}})
}

func jsonAnswer(v any) guest.Response {
	text, err := json.Marshal(v)
	if err != nil {
		return guest.Response{Code: 500, Body: err.Error()}
	}
	return guest.Response{Code: 200, Header: map[string]string{"Content-Type": "application/json"}, Body: string(text)}
}
