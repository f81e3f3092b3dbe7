package guest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"podium/provision/machine/sim/vfs"
)

// Process is one process. Its exported fields belong to the goroutine that runs it.
type Process struct {
	Kernel  *Kernel
	PID     int
	PPID    int
	Args    []string
	Exe     string   // name of the program that runs
	Version string   // of the program, where its executable says it
	Env     []string // KEY=value
	Dir     string
	Cred    vfs.Cred
	Unit    string // systemd unit it belongs to

	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}

	mu      sync.Mutex
	pgid    int
	sid     int
	files   []*description // by descriptor number
	status  int
	killed  Signal
	trap    func(Signal) bool
	ignored map[Signal]bool
	tty     bool
	ready   func()
	shown   Shown
	rest    time.Duration // of the time the program takes
}

// Spec says what a new process is.
type Spec struct {
	Args  []string
	Env   []string
	Dir   string
	Cred  vfs.Cred
	Files map[int]File // descriptors of a process without parent; it closes them
	TTY   bool
	Unit  string
	Ready func() // called when the program says that it serves; may be nil
	Run   Program
}

// Start starts a process that has no parent, such as a login shell or a service.
func (k *Kernel) Start(s Spec) (*Process, error) {
	p := &Process{
		Kernel: k, PPID: 1, Args: s.Args, Env: s.Env, Dir: s.Dir, Cred: s.Cred, tty: s.TTY, Unit: s.Unit,
		ready: s.Ready, done: make(chan struct{}),
	}
	for fd, f := range s.Files {
		p.setFD(fd, &description{File: f})
	}
	if err := k.add(p, true); err != nil {
		p.closeAll()
		return nil, err
	}
	p.sid = p.PID
	p.show()
	k.workers.do(func() { p.run(s.Run) })
	return p, nil
}

// Fork starts a child with the same descriptors, environment and directory. change may alter it before it runs.
func (p *Process) Fork(change func(*Process), run Program) (*Process, error) {
	c := &Process{
		Kernel: p.Kernel, PPID: p.PID, Args: p.Args, Exe: p.Exe, Env: p.Env, Dir: p.Dir, Cred: p.Cred, tty: p.tty, Unit: p.Unit,
		done: make(chan struct{}),
	}
	p.mu.Lock()
	c.pgid, c.sid = p.pgid, p.sid
	c.files = make([]*description, len(p.files))
	for i, d := range p.files {
		if d != nil {
			d.refs.Add(1)
			c.files[i] = d
		}
	}
	for sig := range p.ignored {
		c.ignore(sig)
	}
	p.mu.Unlock()
	if err := p.Kernel.add(c, false); err != nil {
		c.closeAll()
		return nil, err
	}
	if change != nil {
		change(c)
	}
	c.show()
	p.Kernel.workers.do(func() { c.run(run) })
	return c, nil
}

func (k *Kernel) add(p *Process, leader bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ctx.Err() != nil {
		return ErrDown
	}
	p.ctx, p.cancel = context.WithCancelCause(k.ctx)
	p.PID = k.nextPID
	k.nextPID++
	if leader {
		p.pgid = p.PID
	}
	k.procs[p.PID] = p
	k.wg.Add(1)
	return nil
}

func (p *Process) run(run Program) {
	defer p.Kernel.wg.Done()
	code := 126
	if run != nil {
		code = p.guarded(run)
	}
	p.mu.Lock()
	if p.killed != 0 {
		code = 128 + int(p.killed)
	}
	p.status = code & 0xff
	p.mu.Unlock()
	p.closeAll()
	p.Kernel.mu.Lock()
	delete(p.Kernel.procs, p.PID)
	p.Kernel.mu.Unlock()
	p.cancel(nil)
	close(p.done)
}

// guarded runs the program; a bug in a model must not take the whole lab down.
func (p *Process) guarded(run Program) (code int) {
	defer func() {
		if r := recover(); r != nil {
			p.Kernel.Machine.Log.Error("model panicked", "node", p.Kernel.Machine.Name, "args", p.Args, "panic", r)
			p.Errorf("simulator: %s: %v", strings.Join(p.Args, " "), r)
			code = 70
		}
	}()
	return run(p.ctx, p)
}

// Ready tells the starter of the process that it serves now.
func (p *Process) Ready() {
	if p.ready != nil {
		p.ready()
	}
}

// Shown is what others see of a process.
type Shown struct {
	Name string   // of the program
	Args []string // command line
	UID  uint32
}

// Shown is what others see of the process: safe to be asked by any goroutine.
func (p *Process) Shown() Shown {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown
}

// show lets others see what the process is now.
func (p *Process) show() {
	p.mu.Lock()
	p.shown = Shown{p.Exe, p.Args, p.Cred.UID}
	p.mu.Unlock()
}

// Context ends when the process is killed or the machine goes down.
func (p *Process) Context() context.Context { return p.ctx }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Status is the exit code, 128 and more for a signal; valid after Done.
func (p *Process) Status() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// Killed is the signal that ended or is ending the process, 0 if none.
func (p *Process) Killed() Signal {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed
}

// Wait waits for a child; when the caller is killed first, it returns that signal's code.
func (p *Process) Wait(child *Process) int {
	select {
	case <-child.done:
	case <-p.ctx.Done():
		select {
		case <-child.done:
		default:
			return 128 + int(max(p.Killed(), SIGKILL))
		}
	}
	return child.Status()
}

// Process finds a process by number, nil if there is none.
func (k *Kernel) Process(pid int) *Process {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.procs[pid]
}

// Processes lists all, in the order of their numbers.
func (k *Kernel) Processes() []*Process {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := make([]*Process, 0, len(k.procs))
	for _, p := range k.procs {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *Process) int { return a.PID - b.PID })
	return list
}

// FS is the machine's filesystem.
func (p *Process) FS() *vfs.FS { return p.Kernel.Machine.FS }

// Machine is the machine the process runs on.
func (p *Process) Machine() *Machine { return p.Kernel.Machine }
