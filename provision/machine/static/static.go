// Package static is the provider of machines that exist already: podium neither makes nor ends them, it only works
// on them over SSH.
package static

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/remote"
)

// Options say which machines there are.
type Options struct {
	Machines []lab.Machine // with their SSH; those of the last Prepare count instead
	User     string        // account on machines that name none
	Dir      string        // folder that key files are relative to
	Timeout  time.Duration // of the knock that Status makes; 0: 2s
}

// Provider knows machines that exist. It implements machine.Provider.
type Provider struct {
	o Options
}

// New returns a provider for the machines.
func New(o Options) *Provider {
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	return &Provider{o: o}
}

var _ machine.Provider = (*Provider)(nil)

// Prepare takes over the machines of the description.
func (p *Provider) Prepare(_ context.Context, s machine.Spec) error {
	p.o.Machines, p.o.User, p.o.Dir = s.Machines, s.Lab.User, s.Lab.Dir
	for _, m := range s.Machines {
		if _, err := p.endpoint(m); err != nil {
			return err
		}
	}
	return nil
}

// Up says how to reach the machine; it starts nothing.
func (p *Provider) Up(_ context.Context, name string) (remote.Endpoint, error) {
	for _, m := range p.o.Machines {
		if m.Name == name {
			return p.endpoint(m)
		}
	}
	return remote.Endpoint{}, fmt.Errorf("%s: %w in lab.yaml", name, machine.ErrNotFound)
}

func (p *Provider) endpoint(m lab.Machine) (remote.Endpoint, error) {
	s := lab.SSH{}
	if m.SSH != nil {
		s = *m.SSH
	}
	e := remote.Endpoint{Node: m.Name, Host: s.Host, Port: s.Port, User: s.User, KeyFile: s.Key}
	if e.Host == "" {
		if !m.Address.IsValid() {
			return e, fmt.Errorf("%s: nobody says where the machine is: give it an address or ssh.host in lab.yaml", m.Name)
		}
		e.Host = m.Address.String()
	}
	if e.Port == 0 {
		e.Port = 22
	}
	if e.User == "" {
		e.User = p.o.User
	}
	if e.KeyFile != "" {
		e.KeyFile = lab.Lab{Dir: p.o.Dir}.Path(e.KeyFile)
	}
	if s.Jump != "" {
		j, err := jump(s.Jump)
		if err != nil {
			return e, fmt.Errorf("%s: ssh.jump %q: %w", m.Name, s.Jump, err)
		}
		if j.User == "" {
			j.User = e.User
		}
		j.KeyFile = e.KeyFile
		e.Jump = &j
	}
	return e, nil
}

// jump reads [user@]host[:port].
func jump(s string) (remote.Endpoint, error) {
	e := remote.Endpoint{Port: 22}
	if user, rest, ok := strings.Cut(s, "@"); ok {
		e.User, s = user, rest
	}
	e.Host = s
	if host, port, err := net.SplitHostPort(s); err == nil {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return e, errors.New("its port is no number from 1 to 65535")
		}
		e.Host, e.Port = host, n
	}
	if e.Host = strings.Trim(e.Host, "[]"); e.Host == "" {
		return e, errors.New("write [user@]host[:port]")
	}
	e.Node = e.Host
	return e, nil
}

// Halt fails: the machine is not podium's.
func (p *Provider) Halt(_ context.Context, name string) error { return refuse("halt", name) }

// Destroy fails: the machine is not podium's.
func (p *Provider) Destroy(_ context.Context, name string) error { return refuse("destroy", name) }

// Snapshot fails: podium cannot reach the machine's disk.
func (p *Provider) Snapshot(_ context.Context, name, _ string) error { return refuse("snapshot", name) }

// Restore fails: podium cannot reach the machine's disk.
func (p *Provider) Restore(_ context.Context, name, _ string) error { return refuse("restore", name) }

// DeleteSnapshot fails: there is none.
func (p *Provider) DeleteSnapshot(_ context.Context, name, _ string) error {
	return refuse("delete a snapshot of", name)
}

// Cleanup has nothing to remove.
func (p *Provider) Cleanup(context.Context) error { return nil }

func refuse(what, name string) error {
	return fmt.Errorf("cannot %s %s: %w: with provider static podium works on machines that exist already, and leaves starting, stopping and snapshots to their owner",
		what, name, machine.ErrNotApplicable)
}

// Status knocks at every machine's SSH port: running if it answers, unknown if not. Machines behind a jump host are
// unknown: only SSH itself gets there.
func (p *Provider) Status(ctx context.Context) (map[string]machine.State, error) {
	machines := p.o.Machines
	names := make([]string, len(machines))
	byName := map[string]lab.Machine{}
	for i, m := range machines {
		names[i], byName[m.Name] = m.Name, m
	}
	states := map[string]machine.State{}
	for _, o := range remote.Each(ctx, names, 64, func(ctx context.Context, name string) (machine.State, error) {
		return p.knock(ctx, byName[name]), nil
	}) {
		states[o.Name] = o.Value
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("status: %w", context.Cause(ctx))
	}
	return states, nil
}

func (p *Provider) knock(ctx context.Context, m lab.Machine) machine.State {
	e, err := p.endpoint(m)
	if err != nil || e.Jump != nil {
		return machine.Unknown
	}
	d := net.Dialer{Timeout: p.o.Timeout}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(e.Host, strconv.Itoa(e.Port)))
	if err != nil {
		return machine.Unknown
	}
	conn.Close()
	return machine.Running
}
