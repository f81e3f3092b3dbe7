package network

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func ss(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "t,tcp l,listening n,numeric p,processes u,udp a,all H,no-header 4,ipv4 6,ipv6 x", option.GNU)
	if !ok {
		return 255
	}
	if !o.Has("H") {
		p.Print("State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\n")
	}
	ports := append(p.Kernel.Ports(), 22)
	slices.Sort(ports)
	for _, port := range ports {
		if len(o.Args) > 0 && !strings.Contains(strings.Join(o.Args, " "), fmt.Sprint(":", port)) {
			continue
		}
		p.Printf("LISTEN 0      4096         0.0.0.0:%d       0.0.0.0:*\n", port)
	}
	return 0
}
