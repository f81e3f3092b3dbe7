package sim

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"podium/provision/machine/sim/cluster"
	"podium/provision/machine/sim/command"
	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/image"
	"podium/provision/machine/sim/internet"
	"podium/provision/machine/sim/kernel"
	netcmd "podium/provision/machine/sim/network"
	"podium/provision/machine/sim/packages"
	"podium/provision/machine/sim/service"
	"podium/provision/machine/sim/shell"
	"podium/provision/machine/sim/systemd"
	"podium/provision/machine/sim/vfs"
)

// programs are all programs that a node can have.
func programs(a *packages.Archives) guest.Programs {
	all := guest.Programs{}
	cache := &shell.Cache{}
	for _, set := range []guest.Programs{
		command.Programs(), kernel.Programs(), systemd.Programs(), netcmd.Programs(), packages.Commands(a), service.Programs(), cluster.Programs(),
		{"bash": shell.Bash(cache), "sh": shell.Sh(cache)},
	} {
		maps.Copy(all, set)
	}
	return all
}

// seeds are what the image of a node gets from each subject.
func seeds() []image.Seed { return []image.Seed{packages.Seed} }

// boot is what the system does at boot.
func boot(k *guest.Kernel) {
	entries, err := k.Machine.FS.ReadDir(vfs.Root(), "/tmp")
	for _, e := range entries { // as systemd-tmpfiles does
		err = errors.Join(err, k.Machine.FS.RemoveAll(vfs.Root(), "/tmp/"+e.Name()))
	}
	if err != nil {
		k.Machine.Log.Warn("clean /tmp at boot", "node", k.Machine.Name, "error", err)
	}
	kernel.Boot(k)
	systemd.Boot(k)
}

// mountKernel gives a machine's filesystem its /proc and /sys.
func mountKernel(m *guest.Machine) { kernel.Mount(m) }

// holdAptLock has another process hold the package lock.
func holdAptLock(k *guest.Kernel, d time.Duration) { packages.HoldLock(k, d) }

// network is the lab's network as its nodes see it.
type network Host

// dialFailure is why nobody could be reached.
type dialFailure struct {
	text    string
	unknown bool // the name does not resolve
}

// Error is worded as programs word it.
func (e *dialFailure) Error() string { return e.text }

// NotFound reports whether the name did not resolve.
func (e *dialFailure) NotFound() bool { return e.unknown }

// Dial finds who listens on a port: of the node itself, of a peer, or outside.
func (n *network) Dial(ctx context.Context, from *guest.Machine, host string, port int) (guest.Handler, error) {
	address, ok := from.Resolve(ctx, host)
	if !ok {
		return nil, &dialFailure{"Temporary failure resolving '" + host + "'", true}
	}
	refused := &dialFailure{text: "Connection refused"}
	target := from
	if !isSelf(from, address) {
		if inside(from, address) {
			if target = n.Peer(address); target == nil {
				if h := cluster.Exposed(from, address, port); h != nil {
					return h, nil
				}
				return nil, &dialFailure{text: "No route to host"}
			}
		} else {
			if from.Faults.Offline(from) {
				return nil, &dialFailure{text: "Network is unreachable"}
			}
			return n.internet().Handler(host), nil
		}
	}
	k := target.Kernel()
	if k == nil {
		return nil, refused
	}
	if h := k.Listener(port); h != nil {
		return h, nil
	}
	if pod, ok := cluster.PodAt(k, port); ok {
		if h := service.InPod(pod); h != nil {
			return h, nil
		}
	}
	if h := cluster.Exposed(from, target.Hardware.Address, port); h != nil {
		return h, nil
	}
	return nil, refused
}

func isSelf(m *guest.Machine, address string) bool {
	return address == m.Hardware.Address || strings.HasPrefix(address, "127.") || address == "10.0.2.15" || address == "::1"
}

func inside(m *guest.Machine, address string) bool {
	p, err := netip.ParsePrefix(m.Hardware.Network)
	a, err2 := netip.ParseAddr(address)
	return err == nil && err2 == nil && p.Contains(a)
}

func (n *network) internet() *internet.Internet {
	h := (*Host)(n)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.outside
}

// Lookup is the public name service.
func (n *network) Lookup(_ context.Context, host string) (string, bool) {
	return n.internet().Lookup(host)
}

// Shared keeps what belongs to the lab as a whole.
func (n *network) Shared(key any, make func() any) any { return (*Host)(n).shared(key, make) }

// Peer finds a running machine by an address of its own, or one that it shares with others.
func (n *network) Peer(address string) *guest.Machine {
	h := (*Host)(n)
	h.mu.Lock()
	node := h.byAddress[address]
	h.mu.Unlock()
	if node == nil {
		return guest.Holder(n, address)
	}
	if !node.machine.Running() {
		return nil
	}
	return node.machine
}

// outside is the internet as a description has it.
func outside(a *packages.Archives, d Description) *internet.Internet {
	in := &internet.Internet{Archives: a, Proxies: d.Proxies}
	for _, m := range d.Mirrors {
		in.Mirrors = append(in.Mirrors, internet.Mirror{URL: m.URL, Upstream: m.Upstream})
	}
	// The longest address first: a mirror may lie below another.
	slices.SortFunc(in.Mirrors, func(x, y internet.Mirror) int { return len(y.URL) - len(x.URL) })
	return in
}

// serveHTTP answers the HTTP requests on a forwarded connection.
func serveHTTP(ctx context.Context, conn io.ReadWriter, from *guest.Machine, h guest.Handler) {
	r := bufio.NewReader(conn)
	for ctx.Err() == nil {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		header := map[string]string{}
		for key := range req.Header {
			header[key] = req.Header.Get(key)
		}
		resp := h.Serve(ctx, guest.Request{From: from, Method: req.Method, Host: req.Host, Path: req.URL.RequestURI(), Header: header, Body: string(body)})
		out := http.Response{
			StatusCode: resp.Code, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(resp.Body)),
			ContentLength: int64(len(resp.Body)), Request: req,
		}
		for key, value := range resp.Header {
			out.Header.Set(key, value)
		}
		if out.Write(conn) != nil {
			return
		}
	}
}
