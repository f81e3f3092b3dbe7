package remotetest

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

func port(p uint32) string { return strconv.FormatUint(uint64(p), 10) }

// session serves one session until its channel is closed.
func (s *Server) session(ctx context.Context, conn *ssh.ServerConn, c ssh.NewChannel) {
	channel, requests, err := c.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	unblock := context.AfterFunc(ctx, func() { _ = channel.Close() })
	defer unblock()

	signals := make(chan string, 1)
	resized := make(chan Size, 16)
	var pty *Pty
	started := false
	for r := range requests {
		ok := false
		switch r.Type {
		case "pty-req":
			pty, ok = newPty(r.Payload, resized), true
		case "window-change":
			var m struct{ Columns, Rows, Width, Height uint32 }
			if ok = ssh.Unmarshal(r.Payload, &m) == nil; ok {
				select {
				case resized <- Size{int(m.Columns), int(m.Rows)}:
				default:
				}
			}
		case "env":
			ok = true
		case "signal":
			var m struct{ Signal string }
			if ssh.Unmarshal(r.Payload, &m) == nil {
				select {
				case signals <- m.Signal:
				default: // too many at once
				}
			}
		case "exec", "shell":
			var m struct{ Command string }
			if started || r.Type == "exec" && ssh.Unmarshal(r.Payload, &m) != nil {
				break
			}
			started, ok = true, true
			e := &Exec{Command: unmark(m.Command), User: conn.User(), Stdin: channel, Stdout: channel, Stderr: channel.Stderr(), Pty: pty}
			_ = r.Reply(true, nil)
			running.Go(func() { s.run(ctx, channel, e, signals) })
			continue
		case "subsystem":
			var m struct{ Name string }
			if started || ssh.Unmarshal(r.Payload, &m) != nil || m.Name != "sftp" || s.faults.noSFTP.Load() {
				break
			}
			started = true
			_ = r.Reply(true, nil)
			running.Go(func() { s.files(channel) })
			continue
		}
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
	}
}

// unmark takes out what remote.Client adds to a command to find it again, which differs every time.
func unmark(line string) string {
	line = regexp.MustCompile(`(env )?PODIUM_RUN=[0-9a-f]{16} `).ReplaceAllString(line, "")
	if shell, ok := strings.CutPrefix(line, `exec "$SHELL" -c `); ok {
		if w := words("sh " + shell); len(w) == 2 {
			return w[1]
		}
	}
	return line
}

func newPty(payload []byte, resized chan Size) *Pty {
	var m struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}
	_ = ssh.Unmarshal(payload, &m)
	return &Pty{Term: m.Term, Size: Size{int(m.Columns), int(m.Rows)}, Resized: resized}
}

// run lets the handler run a command and tells the client how it ended.
func (s *Server) run(ctx context.Context, channel ssh.Channel, e *Exec, signals <-chan string) {
	defer channel.Close()
	s.mu.Lock()
	s.commands = append(s.commands, e.Command)
	s.mu.Unlock()
	if s.faults.slow(ctx) != nil {
		return
	}
	handler := s.o.Handler
	if own := s.own(e); own != nil && !s.o.Plain {
		handler = own
	}
	ctx, cancel := context.WithCancelCause(ctx)
	passed := make(chan string)
	e.Signals = passed
	var relay sync.WaitGroup
	relay.Go(func() {
		for {
			select {
			case signal := <-signals:
				select {
				case passed <- signal:
				case <-ctx.Done():
				case <-time.After(signalWait):
					cancel(killed(signal))
				}
			case <-ctx.Done():
				return
			}
		}
	})
	code := handler(ctx, e)
	cancel(nil)
	relay.Wait()
	if s.faults.dropNow() {
		s.Drop()
		return
	}
	var signal killed
	if errors.As(context.Cause(ctx), &signal) {
		_, _ = channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Signal        string
			Core          bool
			Message, Lang string
		}{Signal: string(signal)}))
		return
	}
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(code)}))
}

// signalWait is how long a handler has to take a signal before that ends the command.
const signalWait = 50 * time.Millisecond

// killed is the signal that ended a command.
type killed string

func (k killed) Error() string { return "signal " + string(k) }

// files serves SFTP on a channel.
func (s *Server) files(channel ssh.Channel) {
	defer channel.Close()
	f := &folder{root: s.root, space: s.space, list: s.o.List}
	server := sftp.NewRequestServer(channel, sftp.Handlers{FileGet: f, FilePut: f, FileCmd: f, FileList: f})
	if err := server.Serve(); err != nil && err != io.EOF {
		return
	}
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{0}))
}
