package guest

import "fmt"

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
