// Package guest is one simulated Linux machine: its filesystem, processes with descriptors, groups and signals, its
// users and its place in the lab's network. The programs it can run are given to it; package command has them.
//
// All that must outlive a reboot lies in the filesystem. What is in memory only (processes, listeners, loaded modules,
// kernel settings) is in Kernel and thrown away at each boot.
package guest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/machine/sim/vfs"
)

// Program is what an executable does. It returns the exit code and must return soon after ctx has ended.
type Program func(ctx context.Context, p *Process) int

// Programs finds programs by the name that stands in their executable.
type Programs map[string]Program

// Hardware is what the machine is made of.
type Hardware struct {
	CPUs    int
	Memory  int64  // bytes
	Disk    int64  // bytes
	Address string // on the private network
	Network string // CIDR of the private network
	Arch    string // as dpkg names it
}

// Machine is one simulated node. It has a Kernel while it runs.
type Machine struct {
	Name     string
	Hardware Hardware
	FS       *vfs.FS
	Programs Programs
	Net      Network
	Faults   Faults
	Now      func() time.Time // the world's clock; the machine's own may differ, see Clock
	Log      hclog.Logger
	Init     func(k *Kernel) // what the system does at boot, before anybody can log in; may be nil

	mu     sync.Mutex
	kernel *Kernel
	boots  int
	ahead  atomic.Int64 // nanoseconds that the machine's clock is ahead of the world's
}

// Network is the world outside the machine.
type Network interface {
	// Dial finds who listens on a port of host, a name or an address; the error is worded as curl words it.
	Dial(ctx context.Context, from *Machine, host string, port int) (Handler, error)
	// Lookup is the public name service; it knows hosts outside the lab only.
	Lookup(ctx context.Context, name string) (address string, ok bool)
	// Shared returns what is kept under key for the whole lab; make fills it in at first.
	Shared(key any, make func() any) any
	// Peer finds a running machine of the lab by address; nil if none answers.
	Peer(address string) *Machine
}

// Faults says what goes wrong on the machine, and how long things take.
type Faults interface {
	// Before is asked before a program runs: how long the program takes, and until when at least: until the channel is
	// closed, so that what is to go wrong while it runs cannot come too late; nil: no longer. An error ends the program
	// with its text and code 1.
	Before(ctx context.Context, m *Machine, args []string) (took time.Duration, until <-chan struct{}, err error)
	// Offline reports whether the machine reaches nothing outside the lab.
	Offline(m *Machine) bool
	// Download returns an error when fetching url fails this time.
	Download(m *Machine, url string) error
}

// ErrDown is returned for a machine that is not running.
var ErrDown = errors.New("machine is not running")

// Kernel is one boot of a machine: everything that the next boot does not see again.
type Kernel struct {
	Machine *Machine
	BootID  string
	Booted  time.Time

	ctx     context.Context
	cancel  context.CancelCauseFunc
	wg      sync.WaitGroup
	workers *workers

	mu        sync.Mutex
	procs     map[int]*Process
	nextPID   int
	listeners map[int]Handler
	locks     map[uint64]*fileLock
	values    map[any]any
	power     func(reboot bool)
	last      []func()
}

// Boot starts the machine. ctx is the life of the world; Halt or its end stops the machine.
func (m *Machine) Boot(ctx context.Context) (*Kernel, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kernel != nil {
		return nil, fmt.Errorf("%s: runs already", m.Name)
	}
	m.boots++
	k := &Kernel{
		Machine: m, Booted: m.Now(), BootID: fmt.Sprintf("%08x-0000-4000-8000-%012x", m.Now().Unix(), m.boots),
		procs: map[int]*Process{}, nextPID: 100, listeners: map[int]Handler{}, locks: map[uint64]*fileLock{}, values: map[any]any{},
	}
	k.ctx, k.cancel = context.WithCancelCause(ctx)
	k.workers = newWorkers()
	if m.Net != nil {
		k.workers = m.Net.Shared(workersKey{}, func() any { return k.workers }).(*workers)
	}
	m.ahead.Store(0)
	m.FS.EmptyTmpfs()
	m.kernel = k
	return k, nil
}

type workersKey struct{}

// Initialize runs what the system does at boot.
func (k *Kernel) Initialize() {
	if k.Machine.Init != nil {
		k.Machine.Init(k)
	}
}

// OnPower sets who carries out a shutdown or reboot that is asked for from inside.
func (k *Kernel) OnPower(f func(reboot bool)) {
	k.mu.Lock()
	k.power = f
	k.mu.Unlock()
}

// PowerOff asks for a shutdown or a reboot.
func (k *Kernel) PowerOff(reboot bool) {
	k.mu.Lock()
	f := k.power
	k.mu.Unlock()
	if f != nil {
		f(reboot)
	}
}

// Halt stops the machine: every process is killed, and Halt returns when all have gone. nil if it is stopped.
func (m *Machine) Halt() {
	m.mu.Lock()
	k := m.kernel
	m.kernel = nil
	m.mu.Unlock()
	if k == nil {
		return
	}
	k.cancel(ErrDown)
	for _, p := range k.Processes() {
		p.Signal(SIGKILL)
	}
	k.wg.Wait()
	k.mu.Lock()
	last := k.last
	k.mu.Unlock()
	for _, f := range last {
		f()
	}
}

// Kernel returns the running kernel, nil when the machine is stopped.
func (m *Machine) Kernel() *Kernel {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kernel
}

// Running reports whether the machine is up.
func (m *Machine) Running() bool { return m.Kernel() != nil }

// Done is closed when the machine goes down.
func (k *Kernel) Done() <-chan struct{} { return k.ctx.Done() }

// Context lives as long as this boot.
func (k *Kernel) Context() context.Context { return k.ctx }

// Value returns what is kept under key for this boot; make fills it in at first.
func Value[T any](k *Kernel, key any, make func() T) T {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.values[key]
	if !ok {
		v = make()
		k.values[key] = v
	}
	return v.(T)
}

// Listen takes a TCP port until the function it returns is called. It fails when the port is taken.
func (k *Kernel) Listen(port int, h Handler) (stop func(), err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.listeners[port] != nil {
		return nil, fmt.Errorf("listen tcp :%d: bind: address already in use", port)
	}
	k.listeners[port] = h
	return func() {
		k.mu.Lock()
		delete(k.listeners, port)
		k.mu.Unlock()
	}, nil
}

// Listener returns who listens on a port, nil if nobody does.
func (k *Kernel) Listener(port int) Handler {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.listeners[port]
}

// Ports lists the ports that somebody listens on.
func (k *Kernel) Ports() []int {
	k.mu.Lock()
	defer k.mu.Unlock()
	var ports []int
	for p := range k.listeners {
		ports = append(ports, p)
	}
	return ports
}

// Handler answers requests on a port.
type Handler interface {
	Serve(ctx context.Context, r Request) Response
}

// Guarded is a Handler that does not let everybody in.
type Guarded interface {
	// Admit is nil for a client with that certificate (PEM; empty: none). Otherwise it says why TLS ends.
	Admit(cert string) error
}

// HandlerFunc is a Handler made of a function.
type HandlerFunc func(ctx context.Context, r Request) Response

// Serve calls f.
func (f HandlerFunc) Serve(ctx context.Context, r Request) Response { return f(ctx, r) }

// Request is one HTTP request, or whatever two models agree on in Message.
type Request struct {
	From    *Machine
	Method  string
	Host    string
	Path    string // with query
	Header  map[string]string
	Body    string
	Message any // between models that are not HTTP
}

// Response answers a Request.
type Response struct {
	Code   int
	Header map[string]string
	Body   string
	Reply  any
}
