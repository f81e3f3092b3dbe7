package sim

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"podium/provision/machine/sim/command"
	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/image"
	"podium/provision/machine/sim/shell"
	"podium/provision/machine/sim/vfs"
)

// programs are all programs that a node can have.
func programs() guest.Programs {
	all := command.Programs()
	cache := &shell.Cache{}
	maps.Copy(all, guest.Programs{"bash": shell.Bash(cache), "sh": shell.Sh(cache)})
	return all
}

// seeds are what the image of a node gets from each subject.
func seeds() []image.Seed {
	return []image.Seed{func(_ image.Distribution, fs *vfs.FS) error {
		for name := range programs() {
			if err := fs.WriteFile(vfs.Cred{}, "/usr/bin/"+name, guest.Executable(name), 0o755); err != nil {
				return err
			}
		}
		return nil
	}}
}

// boot is what the system does at boot.
func boot(*guest.Kernel) {}

func mountKernel(*guest.Machine) {}

func holdAptLock(*guest.Kernel, time.Duration) {}

// network is the lab's network as its nodes see it.
type network Host

// Dial finds who listens.
func (n *network) Dial(context.Context, *guest.Machine, string, int) (guest.Handler, error) {
	return nil, errNoRoute
}

type noRoute struct{}

func (noRoute) Error() string { return "Connection refused" }

var errNoRoute error = noRoute{}

// Lookup is the public name service.
func (n *network) Lookup(context.Context, string) (string, bool) { return "", false }

// Peer finds a running machine by address.
func (n *network) Peer(address string) *guest.Machine {
	h := (*Host)(n)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, node := range h.nodes {
		if node.spec.Address == address && node.machine.Running() {
			return node.machine
		}
	}
	return nil
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
