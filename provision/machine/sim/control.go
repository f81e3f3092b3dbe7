package sim

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"podium/provision/folder"
	"podium/provision/machine"
	"podium/provision/remote"
)

// protocol is the version of the requests between podium and the process that hosts a lab. It changes whenever they
// or what a node keeps between two of them change.
const protocol = 1

// lease is the file by which a lab finds its host process: DIR/host.json, 0600.
type lease struct {
	Protocol int    `json:"protocol"`
	Podium   string `json:"podium"` // version of the podium that started it
	PID      int    `json:"pid"`
	Address  string `json:"address"` // on loopback
	Token    string `json:"token"`
}

const leaseName = "host.json"

// maxLease bounds what is read of the file, in bytes.
const maxLease = 64 << 10

func parseLease(text []byte) (lease, error) {
	var l lease
	if err := json.Unmarshal(text, &l); err != nil {
		return l, err
	}
	return l, l.check()
}

// check refuses a process elsewhere: the nodes are on this computer.
func (l lease) check() error {
	at, err := netip.ParseAddrPort(l.Address)
	if err != nil {
		return err
	}
	if !at.Addr().IsLoopback() {
		return fmt.Errorf("%s is not an address of this computer's own", l.Address)
	}
	return nil
}

func readLease(dir string) (lease, error) {
	var l lease
	text, err := folder.At(dir).Read(leaseName, maxLease)
	if err != nil {
		return l, err
	}
	if l, err = parseLease(text); err != nil {
		return l, fmt.Errorf("%s: %w: delete it, and end the simulator's process if it still runs", filepath.Join(dir, leaseName), err)
	}
	return l, nil
}

// call is one request to the host.
type call struct {
	Op          string       `json:"op"`
	Node        string       `json:"node,omitempty"`
	Tag         string       `json:"tag,omitempty"`
	Description *Description `json:"description,omitempty"`
}

// answer is what comes back.
type answer struct {
	Error    string                   `json:"error,omitempty"`
	Kind     string                   `json:"kind,omitempty"` // which of machine's errors is in the chain
	Endpoint *remote.Endpoint         `json:"endpoint,omitempty"`
	States   map[string]machine.State `json:"states,omitempty"`
	Lease    *lease                   `json:"lease,omitempty"`
}

// kinds are the errors that keep their identity on the way.
func kinds() map[string]error {
	return map[string]error{"not-found": machine.ErrNotFound, "no-snapshot": machine.ErrNoSnapshot, "not-applicable": machine.ErrNotApplicable}
}

// remoteError is an error that the host reported.
type remoteError struct {
	text string
	kind error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.kind }

// handler serves the control requests of one host. end ends the process.
func handler(h *Host, l lease, end func()) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+l.Token)) != 1 {
			http.Error(w, "wrong token", http.StatusForbidden)
			return
		}
		var c call
		if err := json.NewDecoder(io.LimitReader(r.Body, 64<<20)).Decode(&c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a := h.perform(r.Context(), c, l, end)
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(a) //nolint:errcheck // the caller has gone
	})
}

func (h *Host) perform(ctx context.Context, c call, l lease, end func()) (a answer) {
	var err error
	switch c.Op {
	case "ping":
		l.Token = ""
		a.Lease = &l
	case "describe":
		if c.Description == nil {
			err = errors.New("describe: no description")
		} else {
			err = h.Describe(*c.Description)
		}
	case "up":
		var e remote.Endpoint
		if e, err = h.Up(ctx, c.Node); err == nil {
			a.Endpoint = &e
		}
	case "halt":
		err = h.Halt(ctx, c.Node)
	case "destroy":
		err = h.Destroy(ctx, c.Node)
	case "status":
		a.States, err = h.Status(ctx)
	case "snapshot":
		err = h.Snapshot(ctx, c.Node, c.Tag)
	case "restore":
		err = h.Restore(ctx, c.Node, c.Tag)
	case "delete-snapshot":
		err = h.DeleteSnapshot(ctx, c.Node, c.Tag)
	case "end":
		end()
	default:
		err = fmt.Errorf("the simulator's process does not know %q", c.Op)
	}
	if err != nil {
		a.Error = err.Error()
		for kind, target := range kinds() {
			if errors.Is(err, target) {
				a.Kind = kind
			}
		}
	}
	return a
}

// client talks to a host process.
type client struct {
	lease lease
	http  *http.Client
}

func newClient(l lease) *client {
	return &client{lease: l, http: &http.Client{Transport: &http.Transport{
		Proxy:                 nil, // never through the proxy of the user's environment
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       30 * time.Second,
		ResponseHeaderTimeout: 0, // a boot takes as long as the scenario says
	}}}
}

// errHostGone is in the chain when the host process does not answer: the nodes are gone.
var errHostGone = errors.New("the simulator's process does not answer")

func (c *client) do(ctx context.Context, req call) (answer, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return answer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.lease.Address+"/", bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+c.lease.Token)
	resp, err := c.http.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return answer{}, fmt.Errorf("%s: %w", req.Op, context.Cause(ctx))
		}
		return answer{}, fmt.Errorf("%w (process %d): %w", errHostGone, c.lease.PID, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusForbidden { // another program has the port now
		return answer{}, fmt.Errorf("%w: port %s belongs to another process", errHostGone, c.lease.Address)
	}
	var a answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return answer{}, fmt.Errorf("%w: unreadable answer: %w", errHostGone, err)
	}
	if a.Error != "" {
		return a, &remoteError{a.Error, kinds()[a.Kind]}
	}
	return a, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }
