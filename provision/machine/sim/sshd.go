package sim

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// server is the sshd of a running node.
type server struct {
	node     *node
	kernel   *guest.Kernel
	listener net.Listener
	config   *ssh.ServerConfig
	wg       sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
}

func serveSSH(n *node, k *guest.Kernel, l net.Listener, key ssh.Signer) *server {
	s := &server{node: n, kernel: k, listener: l, conns: map[net.Conn]bool{}}
	s.config = &ssh.ServerConfig{
		ServerVersion:     "SSH-2.0-podium_simulated",
		PublicKeyCallback: s.authorize,
		MaxAuthTries:      20,
	}
	s.config.AddHostKey(key)
	s.wg.Go(s.accept)
	return s
}

// authorize looks into the account's authorized_keys, as sshd does.
func (s *server) authorize(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	u, ok := s.kernel.Machine.FindUser(c.User())
	if !ok {
		return nil, fmt.Errorf("no account %q", c.User())
	}
	text, err := s.kernel.Machine.FS.ReadFile(vfs.Root(), u.Home+"/.ssh/authorized_keys")
	if err != nil {
		return nil, fmt.Errorf("no key for %q", c.User())
	}
	for rest := []byte(text); len(rest) > 0; {
		var allowed ssh.PublicKey
		if allowed, _, _, rest, err = ssh.ParseAuthorizedKey(rest); err != nil {
			break
		}
		if bytes.Equal(allowed.Marshal(), key.Marshal()) {
			return nil, nil
		}
	}
	return nil, fmt.Errorf("key of %q is not authorized", c.User())
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		if s.refuses() {
			conn.Close()
			continue
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			conn.Close()
			return
		}
		s.conns[conn] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			s.serve(conn)
			conn.Close()
			s.mu.Lock()
			delete(s.conns, conn)
			s.mu.Unlock()
		})
	}
}

// refuses tells whether the scenario has this connection refused.
func (s *server) refuses() bool {
	s.node.mu.Lock()
	b := s.node.behaviour
	s.node.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.b.Host == "down" || b.refused < b.b.SSH.Refuse {
		b.refused++
		return true
	}
	return false
}

func (s *server) unreachable() bool {
	s.node.mu.Lock()
	defer s.node.mu.Unlock()
	return s.node.behaviour.b.Host == "unreachable"
}

// drop cuts every connection.
func (s *server) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// close ends the sshd. Its sessions end with their processes: see wait.
func (s *server) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.listener.Close()
	s.drop()
}

// wait returns when all connections have gone, after the machine was halted.
func (s *server) wait() { s.wg.Wait() }

func (s *server) serve(conn net.Conn) {
	if s.unreachable() {
		io.Copy(io.Discard, conn) //nolint:errcheck // until the other side gives up
		return
	}
	conn.SetDeadline(time.Now().Add(time.Minute)) //nolint:errcheck // a connection that cannot have one has ended
	c, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	conn.SetDeadline(time.Time{}) //nolint:errcheck
	user, ok := s.kernel.Machine.FindUser(c.User())
	if !ok {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { s.globalRequests(requests) })
	for nc := range channels {
		if nc.ChannelType() == "direct-tcpip" {
			wg.Go(func() { s.forward(nc) })
			continue
		}
		if nc.ChannelType() != "session" {
			nc.Reject(ssh.UnknownChannelType, "only sessions and forwarding") //nolint:errcheck
			continue
		}
		ch, reqs, err := nc.Accept()
		if err != nil {
			continue
		}
		sess := &session{server: s, user: user, ch: ch, remote: conn.RemoteAddr().String(), answered: make(chan struct{})}
		wg.Go(func() { sess.serve(reqs) })
	}
	wg.Wait()
}

// globalRequests answers keepalives.
func (s *server) globalRequests(reqs <-chan *ssh.Request) {
	for r := range reqs {
		if r.WantReply {
			r.Reply(r.Type == "keepalive@openssh.com", nil) //nolint:errcheck
		}
	}
}

// forward serves a connection to a port of the lab's network: HTTP of the models.
func (s *server) forward(nc ssh.NewChannel) {
	var target struct {
		Host       string
		Port       uint32
		OriginHost string
		OriginPort uint32
	}
	if err := ssh.Unmarshal(nc.ExtraData(), &target); err != nil {
		nc.Reject(ssh.ConnectionFailed, "malformed request") //nolint:errcheck
		return
	}
	m := s.kernel.Machine
	h, err := m.Net.Dial(s.kernel.Context(), m, target.Host, int(target.Port))
	if err != nil {
		nc.Reject(ssh.ConnectionFailed, err.Error()) //nolint:errcheck
		return
	}
	ch, reqs, err := nc.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(reqs)
	defer ch.Close()
	serveHTTP(s.kernel.Context(), ch, m, h)
}

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
		files[1] = guest.Stream{W: pipeErrors{s.ch}, C: func() error { open.Done(); return nil }}
		files[2] = guest.Stream{W: pipeErrors{s.ch.Stderr()}, C: func() error { open.Done(); return nil }}
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

// pipeErrors makes a closed channel look like a closed pipe to the command.
type pipeErrors struct{ w io.Writer }

func (p pipeErrors) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	if err != nil {
		err = errors.Join(guest.EPIPE, err)
	}
	return n, err
}
