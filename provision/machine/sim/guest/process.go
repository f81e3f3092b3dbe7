package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// description is an open file that several descriptors of several processes may share.
type description struct {
	File
	path string
	ino  uint64
	refs atomic.Int32
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

// Ready tells whoever started the process that it serves now.
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

// Signal sends a signal. A process that has set a trap decides itself.
func (p *Process) Signal(sig Signal) {
	p.mu.Lock()
	trap, ignored := p.trap, p.ignored[sig]
	p.mu.Unlock()
	if sig != SIGKILL {
		if ignored || sig == 0 {
			return
		}
		if trap != nil && trap(sig) {
			return
		}
		if sig.ignoredByDefault() {
			return
		}
	}
	p.mu.Lock()
	if p.killed == 0 {
		p.killed = sig
	}
	p.mu.Unlock()
	p.cancel(fmt.Errorf("killed by SIG%s", sig))
}

// OnSignal sets who decides about signals; it is called in the sender's goroutine and reports whether it took the signal.
func (p *Process) OnSignal(f func(Signal) bool) {
	p.mu.Lock()
	p.trap = f
	p.mu.Unlock()
}

// Ignore makes the process, and children it forks from now on, ignore a signal.
func (p *Process) Ignore(sig Signal) {
	p.mu.Lock()
	p.ignore(sig)
	p.mu.Unlock()
}

func (p *Process) ignore(sig Signal) {
	if p.ignored == nil {
		p.ignored = map[Signal]bool{}
	}
	p.ignored[sig] = true
}

// Group is the process group.
func (p *Process) Group() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pgid
}

// SetGroup moves the process into a group; 0 makes it the leader of its own.
func (p *Process) SetGroup(pgid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pgid == 0 {
		pgid = p.PID
	}
	p.pgid = pgid
}

// SetSession makes the process the leader of a session and group of its own; false if it leads a group already.
func (p *Process) SetSession() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pgid == p.PID {
		return false
	}
	p.sid, p.pgid, p.tty = p.PID, p.PID, false
	return true
}

// Session is the session id.
func (p *Process) Session() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sid
}

// TTY reports whether the process has a terminal.
func (p *Process) TTY() bool { return p.tty }

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

// Kill is kill(2): pid, or with a negative number a group. It reports whether somebody was there.
func (k *Kernel) Kill(pid int, sig Signal) bool {
	if pid > 0 {
		p := k.Process(pid)
		if p == nil {
			return false
		}
		p.Signal(sig)
		return true
	}
	found := false
	for _, p := range k.Processes() {
		if p.Group() == -pid {
			found = true
			p.Signal(sig)
		}
	}
	return found
}

// Getenv returns a variable of the environment, "" if it is not set.
func (p *Process) Getenv(key string) string {
	v, _ := p.LookupEnv(key)
	return v
}

// LookupEnv returns a variable and whether it is set.
func (p *Process) LookupEnv(key string) (string, bool) {
	for i := len(p.Env) - 1; i >= 0; i-- {
		if k, v, ok := strings.Cut(p.Env[i], "="); ok && k == key {
			return v, true
		}
	}
	return "", false
}

// Setenv sets a variable for this process only.
func (p *Process) Setenv(key, value string) {
	env := make([]string, 0, len(p.Env)+1)
	for _, kv := range p.Env {
		if !strings.HasPrefix(kv, key+"=") {
			env = append(env, kv)
		}
	}
	p.Env = append(env, key+"="+value)
}

// Path makes a path absolute.
func (p *Process) Path(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return p.Dir + "/" + name
}

// FS is the machine's filesystem.
func (p *Process) FS() *vfs.FS { return p.Kernel.Machine.FS }

// Machine is the machine the process runs on.
func (p *Process) Machine() *Machine { return p.Kernel.Machine }

// Stdin reads descriptor 0.
func (p *Process) Stdin() io.Reader { return fdIO{p, 0} }

// Stdout writes descriptor 1.
func (p *Process) Stdout() io.Writer { return fdIO{p, 1} }

// Stderr writes descriptor 2.
func (p *Process) Stderr() io.Writer { return fdIO{p, 2} }

// FD reads and writes any descriptor.
func (p *Process) FD(fd int) io.ReadWriter { return fdIO{p, fd} }

type fdIO struct {
	p  *Process
	fd int
}

func (f fdIO) Read(b []byte) (int, error) {
	d := f.p.fd(f.fd)
	if d == nil {
		return 0, vfs.EBADF
	}
	return d.Read(f.p.ctx, b)
}

func (f fdIO) Write(b []byte) (int, error) {
	d := f.p.fd(f.fd)
	if d == nil {
		return 0, vfs.EBADF
	}
	n, err := d.Write(f.p.ctx, b)
	if errors.Is(err, EPIPE) {
		f.p.Signal(SIGPIPE)
	}
	return n, err
}

// Printf writes to standard output.
func (p *Process) Printf(format string, args ...any) { fmt.Fprintf(p.Stdout(), format, args...) }

// Print writes text to standard output.
func (p *Process) Print(text string) { io.WriteString(p.Stdout(), text) }

// Errorf writes a line to standard error.
func (p *Process) Errorf(format string, args ...any) { fmt.Fprintf(p.Stderr(), format+"\n", args...) }

// Fail writes "name: message" to standard error and returns code.
func (p *Process) Fail(code int, format string, args ...any) int {
	p.Errorf("%s: %s", p.Exe, fmt.Sprintf(format, args...))
	return code
}

// Reason is the part of a filesystem error that a program prints: "No such file or directory".
func Reason(err error) string {
	var e vfs.Errno
	if errors.As(err, &e) {
		return e.Error()
	}
	return err.Error()
}

func (p *Process) fd(n int) *description {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n < 0 || n >= len(p.files) {
		return nil
	}
	return p.files[n]
}

// setFD puts d, whose reference the process takes over, at descriptor n.
func (p *Process) setFD(n int, d *description) {
	if d != nil && d.refs.Load() == 0 {
		d.refs.Store(1)
	}
	p.mu.Lock()
	for len(p.files) <= n {
		p.files = append(p.files, nil)
	}
	old := p.files[n]
	p.files[n] = d
	p.mu.Unlock()
	p.Kernel.release(old)
}

func (k *Kernel) release(d *description) {
	if d == nil {
		return
	}
	if d.refs.Add(-1) == 0 {
		k.unlock(d)
		d.Close()
	}
}

func (p *Process) closeAll() {
	p.mu.Lock()
	files := p.files
	p.files = nil
	p.mu.Unlock()
	for _, d := range files {
		p.Kernel.release(d)
	}
}

// SetFile puts a file at a descriptor; the process closes it.
func (p *Process) SetFile(fd int, f File) { p.setFD(fd, &description{File: f}) }

// HasFD reports whether a descriptor is open.
func (p *Process) HasFD(fd int) bool { return p.fd(fd) != nil }

// CloseFD closes a descriptor.
func (p *Process) CloseFD(fd int) {
	if p.fd(fd) != nil {
		p.setFD(fd, nil)
	}
}

// DupFD makes descriptor to the same as from; false if from is not open.
func (p *Process) DupFD(from, to int) bool {
	d := p.fd(from)
	if d == nil {
		return false
	}
	if from == to {
		return true
	}
	d.refs.Add(1)
	p.setFD(to, d)
	return true
}

// FreeFD is the lowest free descriptor from min on.
func (p *Process) FreeFD(min int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for fd := min; ; fd++ {
		if fd >= len(p.files) || p.files[fd] == nil {
			return fd
		}
	}
}

// OpenFD opens a file at a descriptor.
func (p *Process) OpenFD(fd int, name string, flag int) error {
	d, err := p.open(name, flag, 0o666)
	if err != nil {
		return err
	}
	p.setFD(fd, d)
	return nil
}

// Open opens a file or device for the program's own use; the caller closes it.
func (p *Process) Open(name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	d, err := p.open(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &openFile{p, d}, nil
}

type openFile struct {
	p *Process
	d *description
}

func (o *openFile) Read(b []byte) (int, error)  { return o.d.Read(o.p.ctx, b) }
func (o *openFile) Write(b []byte) (int, error) { return o.d.Write(o.p.ctx, b) }
func (o *openFile) Close() error {
	o.p.Kernel.release(o.d)
	return nil
}

func (p *Process) open(name string, flag int, perm os.FileMode) (*description, error) {
	path := vfs.Clean(p.Dir, name)
	if strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/self/fd/") {
		if d, ok, err := p.device(path); ok {
			return d, err
		}
	}
	f, err := p.FS().Open(p.Cred, p.Path(name), flag, perm)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: errors.Unwrap(err)}
	}
	d := &description{File: diskFile{f}, path: f.Path(), ino: f.Ino()}
	d.refs.Store(1)
	return d, nil
}

// device opens what has no content on disk.
func (p *Process) device(path string) (*description, bool, error) {
	file := func(f File) (*description, bool, error) {
		d := &description{File: f, path: path}
		d.refs.Store(1)
		return d, true, nil
	}
	switch path {
	case "/dev/null":
		return file(Null{})
	case "/dev/zero", "/dev/random", "/dev/urandom":
		return file(zero{})
	case "/dev/full":
		return file(zero{full: true})
	case "/dev/stdin":
		path = "/dev/fd/0"
	case "/dev/stdout":
		path = "/dev/fd/1"
	case "/dev/stderr":
		path = "/dev/fd/2"
	case "/dev/tty":
		if p.tty {
			path = "/dev/fd/0"
		} else {
			return nil, true, &os.PathError{Op: "open", Path: path, Err: vfs.Errno("No such device or address")}
		}
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if n, ok := number(strings.TrimPrefix(path, dir)); ok && strings.HasPrefix(path, dir) {
			d := p.fd(n)
			if d == nil {
				return nil, true, &os.PathError{Op: "open", Path: path, Err: vfs.ENOENT}
			}
			d.refs.Add(1)
			return d, true, nil
		}
	}
	return nil, false, nil
}

// SaveFD remembers a descriptor. One of the functions it returns has to be called: restore puts the descriptor back as
// it was, forget lets go of what it was, so that whoever reads the other end can see the end.
func (p *Process) SaveFD(fd int) (restore, forget func()) {
	d := p.fd(fd)
	if d == nil {
		return func() { p.CloseFD(fd) }, func() {}
	}
	d.refs.Add(1)
	return func() { p.setFD(fd, d) }, func() { p.Kernel.release(d) }
}

// ReadFD reads a descriptor until ctx ends.
func (p *Process) ReadFD(ctx context.Context, fd int, b []byte) (int, error) {
	d := p.fd(fd)
	if d == nil {
		return 0, vfs.EBADF
	}
	return d.Read(ctx, b)
}
