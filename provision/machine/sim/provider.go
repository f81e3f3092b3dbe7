package sim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/folder"
	"podium/provision/machine"
	"podium/provision/remote"
)

// Options say whose nodes a Provider makes and where.
type Options struct {
	Lab        string // name of the lab
	Dir        string // the lab's .podium/sim
	Executable string // podium itself, which is started as "podium sim-host --dir DIR"; empty: os.Executable
	Version    string // of podium, for messages
	File       string // sim.yaml with durations and faults; empty: none
	Log        hclog.Logger

	// InProcess simulates the nodes in this process: for tests and benchmarks. Dir is not used then, and the nodes are
	// gone with the process.
	InProcess *Host
}

// Provider makes simulated machines. It implements machine.Provider.
type Provider struct {
	o        Options
	log      hclog.Logger
	protocol int

	mu     sync.Mutex
	client *client // nil: not connected
}

// New returns a provider. Nothing is started before Prepare.
func New(o Options) *Provider {
	log := o.Log
	if log == nil {
		log = hclog.NewNullLogger()
	}
	return &Provider{o: o, log: log, protocol: protocol}
}

// ErrVersion is in the chain when the process that hosts the lab was started by a podium that speaks another protocol.
var ErrVersion = errors.New("the lab's simulator was started by another version of podium")

// do carries out a request, here or in the host process.
func (p *Provider) do(ctx context.Context, req call) (answer, error) {
	if p.o.InProcess != nil {
		a := p.o.InProcess.perform(ctx, req, lease{}, func() {})
		if a.Error != "" {
			return a, &remoteError{a.Error, kinds()[a.Kind]}
		}
		return a, nil
	}
	c, err := p.connect(ctx)
	if err != nil {
		return answer{}, err
	}
	if c == nil {
		return answer{}, errHostGone
	}
	return c.do(ctx, req)
}

// connect finds the host process; nil if there is none.
func (p *Provider) connect(ctx context.Context) (*client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client != nil {
		return p.client, nil
	}
	l, err := readLease(p.o.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := newClient(l)
	a, err := c.do(ctx, call{Op: "ping"})
	switch {
	case errors.Is(err, errHostGone):
		p.log.Debug("simulator process is gone", "error", err)
		return nil, nil
	case err != nil:
		return nil, err
	case a.Lease == nil || a.Lease.Protocol != p.protocol:
		return nil, fmt.Errorf("%w: process %d is of podium %s (protocol %d), this is %s (protocol %d): use that podium, or podium destroy to end the lab",
			ErrVersion, l.PID, l.Podium, l.Protocol, p.o.Version, p.protocol)
	}
	p.client = c
	return c, nil
}

// Prepare starts the host process if it does not run, and tells it what to simulate.
func (p *Provider) Prepare(ctx context.Context, s machine.Spec) error {
	d := Description{
		Lab: s.Lab.Name, Box: s.Lab.Box, User: s.Lab.User, Network: s.Lab.Network, PublicKey: s.PublicKey,
		Mirrors: mirrors(s.Lab), Proxies: proxies(s.Lab),
	}
	if p.o.File != "" {
		if _, err := ReadScenario(p.o.File); err != nil {
			return err
		}
		text, err := folder.ReadFile(p.o.File, maxScenario)
		if err != nil {
			return fmt.Errorf("read the simulator's file: %w", err)
		}
		d.Scenario = string(text)
	}
	for _, m := range s.Machines {
		d.Machines = append(d.Machines, Machine{
			Name: m.Name, Address: m.Address.String(), CPUs: m.CPUs, Memory: int64(m.Memory), Disk: int64(m.Disk),
		})
	}
	if p.o.InProcess == nil {
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	_, err := p.do(ctx, call{Op: "describe", Description: &d})
	return err
}

// start starts the host process unless one answers.
func (p *Provider) start(ctx context.Context) error {
	if c, err := p.connect(ctx); c != nil || err != nil {
		return err
	}
	if err := p.files().MkdirAll("."); err != nil {
		return fmt.Errorf("make the simulator's directory: %w", err)
	}
	if err := p.files().Remove(leaseName); err != nil {
		return fmt.Errorf("remove what a dead simulator left: %w", err)
	}
	ended, err := p.spawn()
	if err != nil {
		return err
	}
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for {
		c, err := p.connect(ctx)
		if c != nil || errors.Is(err, ErrVersion) {
			return err
		}
		// Any other error may pass: on Windows the file cannot be read in the moment in which it gets its name.
		select {
		case err := <-ended:
			return fmt.Errorf("the simulator's process ended at once: %w: see %s", err, p.logFile())
		case <-deadline.C:
			return errors.Join(fmt.Errorf("the simulator's process does not answer within 20s: see %s", p.logFile()), err)
		case <-ctx.Done():
			return fmt.Errorf("start the simulator: %w", context.Cause(ctx))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// files is the simulator's directory. A link in its place that leads out of .podium is not followed.
func (p *Provider) files() folder.Folder {
	return folder.At(filepath.Dir(p.o.Dir)).Sub(filepath.Base(p.o.Dir))
}

// logName is where the host process writes what it has to say.
const logName = "host.log"

func (p *Provider) logFile() string { return filepath.Join(p.o.Dir, logName) }

// Up creates or starts the node; it returns when its sshd answers.
func (p *Provider) Up(ctx context.Context, name string) (remote.Endpoint, error) {
	a, err := p.do(ctx, call{Op: "up", Node: name})
	if errors.Is(err, errHostGone) {
		return remote.Endpoint{}, fmt.Errorf("%s: %w: the simulated nodes are gone: run podium up", name, machine.ErrNotFound)
	}
	if err != nil {
		return remote.Endpoint{}, err
	}
	return *a.Endpoint, nil
}

// Halt stops the node; nil if it is stopped or missing.
func (p *Provider) Halt(ctx context.Context, name string) error {
	return p.gone(ctx, call{Op: "halt", Node: name})
}

// Destroy removes the node with its snapshots; nil if it is missing.
func (p *Provider) Destroy(ctx context.Context, name string) error {
	return p.gone(ctx, call{Op: "destroy", Node: name})
}

// gone carries out a request that has nothing to do when the nodes are gone.
func (p *Provider) gone(ctx context.Context, req call) error {
	_, err := p.do(ctx, req)
	if errors.Is(err, errHostGone) {
		return nil
	}
	if errors.Is(err, ErrVersion) && req.Op == "destroy" {
		return nil // Cleanup ends the process, and all its nodes
	}
	return err
}

// Cleanup ends the host process and removes its files.
func (p *Provider) Cleanup(ctx context.Context) error {
	if p.o.InProcess != nil {
		return nil
	}
	if l, err := readLease(p.o.Dir); err == nil {
		c := newClient(l)
		defer c.close()
		if _, err := c.do(ctx, call{Op: "end"}); err != nil && !errors.Is(err, errHostGone) {
			return fmt.Errorf("end the simulator: %w", err)
		}
		if err := p.waitGone(ctx, c); err != nil {
			return err
		}
	}
	p.mu.Lock()
	if p.client != nil {
		p.client.close()
		p.client = nil
	}
	p.mu.Unlock()
	if err := p.files().RemoveAll("."); err != nil {
		return fmt.Errorf("remove the simulator's files: %w", err)
	}
	return nil
}

// waitGone waits until the host process has ended.
func (p *Provider) waitGone(ctx context.Context, c *client) error {
	for range 1000 {
		if _, err := p.files().Stat(leaseName); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if _, err := c.do(ctx, call{Op: "ping"}); errors.Is(err, errHostGone) {
			return nil
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("the simulator's process %d does not end: end it yourself", c.lease.PID)
}

// Status tells the state of every node. A node whose host process has died is missing.
func (p *Provider) Status(ctx context.Context) (map[string]machine.State, error) {
	a, err := p.do(ctx, call{Op: "status"})
	if errors.Is(err, errHostGone) {
		return map[string]machine.State{}, nil
	}
	if err != nil {
		return nil, err
	}
	if a.States == nil {
		a.States = map[string]machine.State{}
	}
	return a.States, nil
}

// Snapshot keeps a stopped node's disk under tag.
func (p *Provider) Snapshot(ctx context.Context, name, tag string) error {
	return p.needs(ctx, call{Op: "snapshot", Node: name, Tag: tag})
}

// Restore brings a disk back and leaves the node stopped.
func (p *Provider) Restore(ctx context.Context, name, tag string) error {
	return p.needs(ctx, call{Op: "restore", Node: name, Tag: tag})
}

// needs carries out a request that cannot be done when the nodes are gone.
func (p *Provider) needs(ctx context.Context, req call) error {
	_, err := p.do(ctx, req)
	if errors.Is(err, errHostGone) {
		return fmt.Errorf("%s: %s: %w: the simulator's process has ended, and its nodes and snapshots with it", req.Node, req.Op, machine.ErrNotFound)
	}
	return err
}

// DeleteSnapshot forgets a snapshot; nil if there is none.
func (p *Provider) DeleteSnapshot(ctx context.Context, name, tag string) error {
	return p.gone(ctx, call{Op: "delete-snapshot", Node: name, Tag: tag})
}

var _ machine.Provider = (*Provider)(nil)
