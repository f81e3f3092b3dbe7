// Package service models the daemons that labs install beside Kubernetes: Docker, Prometheus and its
// exporter, Grafana, Jenkins, haproxy, keepalived. Each reads the configuration that the real one reads, refuses to start when the real one
// would, and listens on the node's ports until it is stopped.
package service

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
)

// Programs returns the programs of this package by name.
func Programs() guest.Programs {
	return guest.Programs{
		"dockerd": dockerd, "docker": docker,
		"docker-compose": version("Docker Compose version v"), "docker-buildx": version("github.com/docker/buildx v"),
		"prometheus": prometheus, "promtool": promtool, "node_exporter": nodeExporter, "grafana": grafana, "grafana-server": grafana,
		"jenkins": jenkins, "java": java, "alertmanager": alertmanager, "amtool": amtool, "docker-registry": registry,
		"nginx": plain("nginx", 80), "haproxy": haproxy, "keepalived": keepalived, "rpc.nfsd": nfsd, "exportfs": exportfs,
	}
}

// version is a program of which only the version matters.
func version(prefix string) guest.Program {
	return func(_ context.Context, p *guest.Process) int {
		p.Print(prefix + p.Version + "\n")
		return 0
	}
}

// plain is a daemon that listens on a port and answers everything.
func plain(name string, port int) guest.Program {
	return func(ctx context.Context, p *guest.Process) int {
		if len(p.Args) > 1 && strings.TrimLeft(p.Args[1], "-") == "version" {
			p.Errorf("%s, version %s (simulated)", name, p.Version)
			return 0
		}
		return serve(ctx, p, port, guest.HandlerFunc(func(context.Context, guest.Request) guest.Response {
			return guest.Response{Code: 200, Body: "simulated " + name + "\n"}
		}))
	}
}

// serve listens on a port until the process is stopped.
func serve(ctx context.Context, p *guest.Process, port int, h guest.Handler) int {
	stop, err := p.Kernel.Listen(port, h)
	if err != nil {
		p.Errorf("level=error msg=\"%v\"", err)
		return 1
	}
	defer stop()
	p.Ready()
	<-ctx.Done()
	return 0
}

// flags reads --name=value and --name value, as Go's flag packages do.
func flags(args []string) (values map[string]string, rest []string) {
	values = map[string]string{}
	for i := 0; i < len(args); i++ {
		name, ok := strings.CutPrefix(args[i], "-")
		if !ok {
			rest = append(rest, args[i])
			continue
		}
		name = strings.TrimPrefix(name, "-")
		if key, value, has := strings.Cut(name, "="); has {
			values[key] = value
			continue
		}
		if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
			values[name] = args[i]
			continue
		}
		values[name] = "true"
	}
	return values, rest
}

// port reads the port of ":9090" or "0.0.0.0:9090".
func port(address string, def int) (int, error) {
	if address == "" {
		return def, nil
	}
	i := strings.LastIndexByte(address, ':')
	n, err := strconv.Atoi(address[i+1:])
	if err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("listen %s: invalid port", address)
	}
	return n, nil
}
