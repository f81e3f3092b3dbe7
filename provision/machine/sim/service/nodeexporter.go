package service

import (
	"context"
	"fmt"

	"podium/provision/machine/sim/guest"
)

// nodeExporter answers with a few measurements.
func nodeExporter(ctx context.Context, p *guest.Process) int {
	f, _ := flags(p.Args[1:])
	if f["version"] != "" {
		p.Printf("node_exporter, version %s (branch: simulated)\n", p.Version)
		return 0
	}
	n, err := port(f["web.listen-address"], 9100)
	if err != nil {
		p.Errorf("%v", err)
		return 1
	}
	return serve(ctx, p, n, nodeMetrics(p.Kernel))
}

func nodeMetrics(k *guest.Kernel) guest.Handler {
	return guest.HandlerFunc(func(_ context.Context, r guest.Request) guest.Response {
		if r.Path != "/metrics" {
			return guest.Response{Code: 200, Body: "<h1>Node Exporter (simulated)</h1>\n"}
		}
		h := k.Machine.Hardware
		return guest.Response{Code: 200, Body: fmt.Sprintf("# simulated\nnode_boot_time_seconds %d\nnode_memory_MemTotal_bytes %d\nnode_load1 0.0\nnode_uname_info{nodename=%q} 1\n",
			k.Booted.Unix(), h.Memory, k.Machine.Hostname())}
	})
}
