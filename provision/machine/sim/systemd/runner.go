package systemd

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// runner runs command lines of a service.
type runner struct {
	m     *Manager
	d     *definition
	env   []string
	cred  vfs.Cred
	home  string
	epoch int
}

// command strips the prefixes of a command line and splits it.
func (r *runner) command(line string) (args []string, ignore, root bool) {
	for line != "" && strings.IndexByte("-@:+!", line[0]) >= 0 {
		ignore = ignore || line[0] == '-'
		root = root || line[0] == '+' || line[0] == '!'
		line = line[1:]
	}
	vars := map[string]string{}
	for _, kv := range r.env {
		k, v, _ := strings.Cut(kv, "=")
		vars[k] = v
	}
	return splitCommand(line, vars), ignore, root
}

// once runs a command to its end and reports whether it succeeded.
func (r *runner) once(ctx context.Context, line string) bool {
	args, ignore, root := r.command(line)
	if len(args) == 0 {
		return true
	}
	p, err := r.start(args, root, nil)
	if err != nil {
		return ignore
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Signal(guest.SIGKILL)
		return false
	}
	return p.Status() == 0 || ignore
}

func (r *runner) start(args []string, root bool, ready func()) (*guest.Process, error) {
	cred := r.cred
	if root {
		cred = vfs.Root()
	}
	dir := r.d.value("Service", "WorkingDirectory")
	if dir == "" || dir == "~" || strings.HasPrefix(dir, "-") {
		dir = "/"
	}
	out := &journalWriter{m: r.m, unit: r.d.name, who: path.Base(args[0])}
	return r.m.k.Start(guest.Spec{
		Args: args, Env: append(r.env[:len(r.env):len(r.env)], "HOME="+r.home), Dir: dir, Cred: cred, Unit: r.d.name, Ready: ready,
		Files: map[int]guest.File{0: guest.Null{}, 1: guest.Stream{W: out}, 2: guest.Stream{W: out}},
		Run: func(ctx context.Context, p *guest.Process) int {
			run, full, err := p.Load(args)
			if err != nil {
				p.Errorf("%s: Failed to locate executable %s: No such file or directory", r.d.name, args[0])
				return 203
			}
			return p.Become(ctx, run, full)
		},
	})
}

// daemon starts the main process and waits until it counts as started.
func (r *runner) daemon(ctx context.Context, line string) error {
	args, _, root := r.command(line)
	if len(args) == 0 {
		return fmt.Errorf("it has a bad unit file setting")
	}
	if r.idle(args[0]) {
		r.m.mu.Lock()
		r.m.put(r.d, "active", "running").result = "success"
		r.m.mu.Unlock()
		return nil
	}
	ready := make(chan struct{})
	var once sync.Once
	p, err := r.start(args, root, func() { once.Do(func() { close(ready) }) })
	if err != nil {
		return err
	}
	running := func() {
		r.m.mu.Lock()
		defer r.m.mu.Unlock()
		u := r.m.units[r.d.name]
		if u != nil && u.epoch == r.epoch && !u.stopping && u.sub != "auto-restart" {
			u = r.m.put(r.d, "active", "running")
			u.main, u.result = p, "success"
		}
	}
	r.m.mu.Lock()
	u := r.m.units[r.d.name]
	wanted := u != nil && u.epoch == r.epoch
	if wanted {
		u.main = p
	}
	r.m.mu.Unlock()
	if !wanted { // it was stopped meanwhile
		return r.kill(p)
	}
	switch r.d.value("Service", "Type") {
	case "notify", "notify-reload", "forking", "dbus":
		select {
		case <-ready:
		case <-p.Done():
			return fmt.Errorf("the control process exited with error code")
		case <-ctx.Done():
			return r.kill(p)
		}
		running()
	default:
		running()
	}
	go r.reap(p)
	return nil
}

// kill ends a main process whose start was taken back, and says so.
func (r *runner) kill(p *guest.Process) error {
	p.Signal(guest.SIGKILL)
	select {
	case <-p.Done():
	case <-r.m.k.Done():
	}
	return errors.New("it was cancelled")
}

// idle reports whether a program has no model: then the service counts as running without doing anything.
func (r *runner) idle(program string) bool {
	text, err := r.m.machine().FS.ReadFile(vfs.Root(), program)
	if err != nil {
		return false
	}
	name, _, ok := guest.ProgramOf(text)
	return ok && r.m.machine().Programs[name] == nil
}

// reap waits for the end of the main process.
func (r *runner) reap(p *guest.Process) {
	select {
	case <-p.Done():
	case <-r.m.k.Done():
		return
	}
	r.m.mu.Lock()
	u := r.m.units[r.d.name]
	if u == nil || u.main != p || u.stopping {
		r.m.mu.Unlock()
		return
	}
	u.exit = p.Status()
	clean := p.Status() == 0 || p.Killed() == guest.SIGTERM
	r.m.mu.Unlock()
	if clean && r.d.value("Service", "Restart") != "always" {
		r.m.mu.Lock()
		u.active, u.sub, u.main = "inactive", "dead", nil
		r.m.mu.Unlock()
		return
	}
	r.m.Log(r.d.name, "systemd", fmt.Sprintf("%s: Main process exited, code=exited, status=%d", r.d.name, p.Status()))
	r.m.failed(r.d, r.epoch, "exit-code")
}
