package service

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// promtool checks configurations and asks servers.
func promtool(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "version syntax-only lint: o,format:", option.GNU)
	if !ok {
		return 3
	}
	args := o.Args
	switch {
	case len(args) == 3 && args[0] == "check" && args[1] == "config":
		p.Printf("Checking %s\n", args[2])
		if _, err := readPrometheus(p.Machine(), p.Cred, p.Path(args[2])); err != nil {
			p.Errorf("  FAILED: %v", err)
			return 1
		}
		p.Printf(" SUCCESS: %s is valid prometheus config file syntax\n\n", args[2])
		return 0
	case len(args) == 3 && args[0] == "check" && args[1] == "rules":
		p.Printf("Checking %s\n", args[2])
		if err := readRules(p.Machine(), p.Cred, p.Path(args[2])); err != nil {
			p.Errorf("  FAILED:\n%v", err)
			return 1
		}
		p.Print("  SUCCESS\n")
		return 0
	case len(args) == 4 && args[0] == "query" && args[1] == "instant":
		return promQuery(ctx, p, args[2], args[3])
	}
	return p.Fail(3, "the simulator's model has only: promtool check config FILE, promtool check rules FILE, promtool query instant SERVER EXPR")
}

func promQuery(ctx context.Context, p *guest.Process, server, expr string) int {
	u, err := url.Parse(server)
	if err != nil {
		return p.Fail(1, "%v", err)
	}
	n, err := port(u.Host, 80)
	if err != nil {
		return p.Fail(1, "%v", err)
	}
	m := p.Machine()
	h, err := m.Net.Dial(ctx, m, u.Hostname(), n)
	if err != nil {
		p.Errorf("query error: Post \"%s/api/v1/query\": dial tcp %s: connect: connection refused", server, u.Host)
		return 1
	}
	r := h.Serve(ctx, guest.Request{From: m, Method: "GET", Host: u.Host, Path: "/api/v1/query?query=" + url.QueryEscape(expr)})
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Value  []any
			}
		}
	}
	if err := json.Unmarshal([]byte(r.Body), &answer); err != nil || answer.Status != "success" {
		return p.Fail(1, "query error: %s", answer.Error)
	}
	for _, s := range answer.Data.Result {
		var labels []string
		for k, v := range s.Metric {
			if k != "__name__" {
				labels = append(labels, fmt.Sprintf("%s=%q", k, v))
			}
		}
		slices.Sort(labels)
		p.Printf("%s{%s} => %v @[%v]\n", s.Metric["__name__"], strings.Join(labels, ", "), s.Value[1], s.Value[0])
	}
	return 0
}
