package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"golang.org/x/crypto/ssh"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// session is one SSH session: a command, a shell or SFTP.
type session struct {
	server *server
	user   guest.User
	ch     ssh.Channel
	remote string

	env  []string
	tty  *terminal
	term string
	proc *guest.Process

	told     bool
	answered chan struct{} // closed when the client knows that its command runs
}

func (s *session) serve(reqs <-chan *ssh.Request) {
	var wg sync.WaitGroup
	for r := range reqs {
		ok := false
		switch r.Type {
		case "env":
			var kv struct{ Name, Value string }
			ok = ssh.Unmarshal(r.Payload, &kv) == nil
			s.env = append(s.env, kv.Name+"="+kv.Value)
		case "pty-req":
			var pty struct {
				Term                          string
				Cols, Rows, PxWidth, PxHeight uint32
				Modes                         string
			}
			if ok = ssh.Unmarshal(r.Payload, &pty) == nil; ok {
				s.term = pty.Term
				s.tty = newTerminal(s.ch)
			}
		case "window-change":
			ok = true
		case "shell":
			ok = s.start(&wg, nil)
		case "exec":
			var cmd struct{ Line string }
			ok = ssh.Unmarshal(r.Payload, &cmd) == nil && s.start(&wg, []string{cmd.Line})
		case "subsystem":
			var sub struct{ Name string }
			if ok = ssh.Unmarshal(r.Payload, &sub) == nil && sub.Name == "sftp"; ok {
				wg.Go(func() { serveSFTP(s) })
			}
		case "signal":
			var sig struct{ Name string }
			if ssh.Unmarshal(r.Payload, &sig) == nil && s.proc != nil {
				if n, known := guest.ParseSignal(sig.Name); known {
					ok = true
					s.server.kernel.Kill(-s.proc.PID, n)
				}
			}
		}
		if r.WantReply {
			r.Reply(ok, nil) //nolint:errcheck
		}
		if s.proc != nil && !s.told {
			s.told = true
			close(s.answered)
		}
	}
	// The client has gone. Without a terminal the command goes on until it writes or reads.
	if s.tty != nil {
		s.tty.hangUp()
		if s.proc != nil {
			s.server.kernel.Kill(-s.proc.PID, guest.SIGHUP)
		}
	}
	wg.Wait()
}

// start runs the login shell, with -c for a command.
func (s *session) start(wg *sync.WaitGroup, command []string) bool {
	if s.proc != nil {
		return false
	}
	u, k := s.user, s.server.kernel
	env := append([]string{
		"HOME=" + u.Home, "USER=" + u.Name, "LOGNAME=" + u.Name, "SHELL=" + u.Shell, "PATH=" + guest.DefaultPath, "LANG=C.UTF-8",
		"SSH_CONNECTION=10.0.2.2 50000 10.0.2.15 22", "SSH_CLIENT=10.0.2.2 50000 22",
	}, s.env...)
	if s.tty != nil {
		env = append(env, "TERM="+s.term, "SSH_TTY=/dev/pts/0")
	}
	args := []string{u.Shell}
	if command != nil {
		args = append(args, "-c", command[0])
	} else {
		args = []string{"-bash"}
	}
	// The channel closes when the command has ended and nobody holds its output any more.
	var open sync.WaitGroup
	files := map[int]guest.File{}
	stdinR, stdinW := guest.Pipe()
	if s.tty != nil {
		s.tty.attach(k)
		open.Add(1)
		t := guest.Stream{R: nil, W: s.tty, C: func() error { open.Done(); return nil }}
		files[0] = s.tty.input(stdinR)
		files[1] = t
	} else {
		open.Add(2)
		files[0] = stdinR
		files[1] = guest.Stream{W: &output{w: s.ch}, C: func() error { open.Done(); return nil }}
		files[2] = guest.Stream{W: &output{w: s.ch.Stderr()}, C: func() error { open.Done(); return nil }}
	}
	motd := ""
	if s.tty != nil && command == nil {
		motd, _ = k.Machine.FS.ReadFile(vfs.Root(), "/etc/motd")
	}
	p, err := k.Start(guest.Spec{
		Args: args, Env: env, Dir: u.Home, Cred: k.Machine.CredOf(u), Files: files, TTY: s.tty != nil,
		Run: func(ctx context.Context, p *guest.Process) int {
			if s.tty != nil {
				p.DupFD(1, 2)
			}
			if motd != "" {
				p.Print(motd)
			}
			exe := append([]string{u.Shell}, args[1:]...)
			run, _, err := p.Load(exe)
			if err != nil {
				p.Errorf("sshd: %v", err)
				return 127
			}
			return p.Become(ctx, run, args)
		},
	})
	if err != nil {
		return false
	}
	s.proc = p
	if s.tty != nil {
		s.tty.leader(p)
	}
	go pump(s, stdinW)
	wg.Go(func() {
		<-p.Done()
		<-s.answered
		if s.tty != nil {
			k.Kill(-p.PID, guest.SIGHUP)
		}
		status(s.ch, p)
		gone := make(chan struct{})
		go func() { open.Wait(); close(gone) }()
		select {
		case <-gone:
		case <-k.Done():
		}
		s.ch.Close()
	})
	return true
}

// pump feeds what the client sends into the command's standard input.
func pump(s *session, w guest.File) {
	defer w.Close()
	ctx := s.server.kernel.Context()
	buf := make([]byte, 8<<10)
	for {
		n, err := s.ch.Read(buf)
		b := buf[:n]
		if s.tty != nil {
			b = s.tty.typed(b)
		}
		if len(b) > 0 {
			if _, werr := w.Write(ctx, b); werr != nil {
				// Nobody reads: take the rest all the same, so that the connection does not fill up.
				io.Copy(io.Discard, s.ch) //nolint:errcheck
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// status tells the client how the command ended.
func status(ch ssh.Channel, p *guest.Process) {
	if sig := p.Killed(); sig != 0 {
		payload := ssh.Marshal(struct {
			Signal string
			Core   bool
			Error  string
			Lang   string
		}{Signal: sig.String()})
		ch.SendRequest("exit-signal", false, payload) //nolint:errcheck // the client may have gone
		return
	}
	code := make([]byte, 4)
	binary.BigEndian.PutUint32(code, uint32(p.Status()))
	ch.SendRequest("exit-status", false, code) //nolint:errcheck
}

// output is stdout or stderr of a command: one program writes at a time, because a channel of x/crypto/ssh bears no
// two writers, and a closed channel looks like a closed pipe.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.w.Write(b)
	if err != nil {
		err = errors.Join(guest.EPIPE, err)
	}
	return n, err
}
