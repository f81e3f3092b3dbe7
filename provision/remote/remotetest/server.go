// Package remotetest has SSH servers for tests: an in-process one whose commands are a Go function and whose faults
// can be ordered (New), and a real OpenSSH sshd (OpenSSH).
package remotetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"podium/provision/remote"
)

// Handler runs a command and gives its exit code. It must return when ctx ends: the client has closed the session,
// sent a signal, or is gone.
type Handler func(ctx context.Context, e *Exec) int

// Exec is a command, or a shell where Command is empty, that a client runs.
type Exec struct {
	Command string
	User    string
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Pty     *Pty // nil: none

	// Signals gets the signals the client sends, without "SIG". One that is not taken at once ends ctx and the command.
	Signals <-chan string
}

// Pty is a terminal that the client asked for.
type Pty struct {
	Term    string
	Size    Size
	Resized <-chan Size
}

// Size is a terminal's, in characters.
type Size struct{ Columns, Rows int }

// Options for New. The zero value is a server for user "podium" whose commands succeed and say nothing.
type Options struct {
	User    string  // empty: podium
	Handler Handler // nil: every command succeeds
	Root    string  // folder that SFTP shows as /, tmp is made in it; empty: a new temporary one
	Space   int64   // bytes that SFTP takes before the disk is full; 0: no limit
	// List gives what SFTP lists in a folder, in the place of what is there; nil, or nil from it: what is there.
	List        func(folder string) sftp.ListerAt
	MaxSessions int // sessions at once on one connection; 0: no limit
	// Plain leaves every command to Handler. Otherwise the server itself answers what remote.Client.Put runs on
	// a node (sha256sum, and the script that installs a file as root), on its own folder.
	Plain bool
}

// Server is an SSH and SFTP server on a loopback port. It ends with the test.
type Server struct {
	o        Options
	t        testing.TB
	root     string
	client   ssh.Signer // whose logins are accepted
	keyFile  string
	listener net.Listener
	faults   faults
	space    *space

	ctx  context.Context // ends when the server does
	work sync.WaitGroup

	mu       sync.Mutex
	host     ssh.Signer
	conns    map[net.Conn]bool
	commands []string
	logins   int
}

// New starts a server.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	if o.User == "" {
		o.User = "podium"
	}
	if o.Handler == nil {
		o.Handler = func(context.Context, *Exec) int { return 0 }
	}
	s := &Server{o: o, t: t, root: o.Root, conns: map[net.Conn]bool{}, space: &space{}}
	s.space.limit.Store(o.Space)
	if s.root == "" {
		s.root = t.TempDir()
	}
	if err := os.MkdirAll(filepath.Join(s.root, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.host = newSigner(t)
	s.client, s.keyFile = newKeyFile(t)
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.ctx = ctx
	s.work.Go(s.accept)
	t.Cleanup(func() {
		cancel()
		_ = s.listener.Close()
		s.Drop()
		s.work.Wait()
	})
	return s
}

// Endpoint is how to reach the server as a node.
func (s *Server) Endpoint(node string) remote.Endpoint {
	a := s.listener.Addr().(*net.TCPAddr)
	return remote.Endpoint{Node: node, Host: a.IP.String(), Port: a.Port, User: s.o.User, KeyFile: s.keyFile}
}

// Dial connects to the server as a node, with a Dialer of its own that ends with the test.
func (s *Server) Dial(node string) *remote.Client {
	s.t.Helper()
	c, err := remote.NewDialer(remote.DialOptions{}).Connect(s.ctx, s.Endpoint(node))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// KeyFile is the private key that may log in.
func (s *Server) KeyFile() string { return s.keyFile }

// Root is the folder that SFTP shows as /.
func (s *Server) Root() string { return s.root }

// HostKey is the server's host key as an authorized_keys line.
func (s *Server) HostKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(ssh.MarshalAuthorizedKey(s.host.PublicKey()))
}

// Commands lists the commands run so far, in order.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

// Logins is how many connections have logged in so far.
func (s *Server) Logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

// accept takes connections until the listener is closed.
func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		if s.faults.refused() {
			_ = conn.Close()
			continue
		}
		s.mu.Lock()
		s.conns[conn] = true
		s.mu.Unlock()
		s.work.Go(func() {
			s.serve(s.faults.wrap(conn))
			_ = conn.Close()
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.conns, conn)
		})
	}
}

// serve handles one connection until it ends.
func (s *Server) serve(conn net.Conn) {
	config := &ssh.ServerConfig{PublicKeyCallback: s.login, MaxAuthTries: 6}
	s.mu.Lock()
	config.AddHostKey(s.host)
	s.mu.Unlock()
	server, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	defer server.Close()
	s.mu.Lock()
	s.logins++
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	work.Go(func() { ssh.DiscardRequests(requests) })
	var open atomic.Int32
	for c := range channels {
		switch {
		case c.ChannelType() == "direct-tcpip":
			work.Go(func() { s.tunnel(ctx, c) })
		case c.ChannelType() != "session":
			_ = c.Reject(ssh.UnknownChannelType, "unknown channel type")
		case s.o.MaxSessions > 0 && int(open.Load()) >= s.o.MaxSessions:
			_ = c.Reject(ssh.ConnectionFailed, "open failed") // what OpenSSH answers
		default:
			open.Add(1)
			work.Go(func() {
				defer open.Add(-1)
				s.session(ctx, server, c)
			})
		}
	}
}

var errDenied = errors.New("denied")

func (s *Server) login(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	time.Sleep(time.Duration(s.faults.login.Load()))
	if s.faults.denied() || c.User() != s.o.User || string(key.Marshal()) != string(s.client.PublicKey().Marshal()) {
		return nil, errDenied
	}
	return nil, nil
}

// tunnel makes the server a jump host (RFC 4254, section 7.2).
func (s *Server) tunnel(ctx context.Context, c ssh.NewChannel) {
	var to struct {
		Host   string
		Port   uint32
		Origin string
		From   uint32
	}
	if err := ssh.Unmarshal(c.ExtraData(), &to); err != nil {
		_ = c.Reject(ssh.ConnectionFailed, "malformed request")
		return
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(to.Host, port(to.Port)))
	if err != nil {
		_ = c.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer conn.Close()
	channel, requests, err := c.Accept()
	if err != nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close(); _ = channel.Close() })
	defer stop()
	go ssh.DiscardRequests(requests)
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(conn, channel); _ = conn.(*net.TCPConn).CloseWrite() })
	both.Go(func() { _, _ = io.Copy(channel, conn); _ = channel.CloseWrite() })
	both.Wait()
	_ = channel.Close()
}

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// newKeyFile makes a key pair and writes its private half to a file of the test.
func newKeyFile(t testing.TB) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "remotetest")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "id_ed25519")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return signer, file
}
