package sim

import (
	"bytes"
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
	b := s.node.behaviour.Load()
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
	return s.node.behaviour.Load().b.Host == "unreachable"
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
