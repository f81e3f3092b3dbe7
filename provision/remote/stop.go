package remote

import (
	"context"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
)

// markVariable is in the environment of commands that sshd cannot signal, so that they can be found.
const markVariable = "PODIUM_RUN"

// marked tells whether a command needs a mark to be ended. sshd signals with the rights of the user, who may not signal
// what sudo runs; and a root login it may not signal at all: OpenSSH 9.2, Debian 12's, answers "session signalling
// requires privilege separation" (session_signal_req in its session.c). A command with a Lifeline ends by itself.
func (c Command) marked(user string) bool { return !c.Lifeline && (c.Sudo || user == "root") }

// killScript ends every process with $1 in its environment: by TERM, and by KILL what is left after $2 tenths of a
// second. Its own environment does not have it. It looks more than once: a process in the middle of an exec shows no
// environment for a moment, which is long on a busy computer.
const killScript = `find() { grep -lzxF "$1" /proc/[0-9]*/environ 2>/dev/null; }
signal() { for e in $(find "$2"); do p=${e#/proc/}; kill -s "$1" "${p%/environ}" 2>/dev/null; done; }
signal TERM "$1"
pause() { sleep 0.1 2>/dev/null || sleep 1; }
n=0
while [ "$n" -lt 1 ] || { find "$1" >/dev/null && [ "$n" -lt "$2" ]; }; do pause; n=$((n + 1)); done
signal KILL "$1"
pause
signal KILL "$1"`

// killTime is what killScript may need beside the pause it makes; it looks at every process of the node.
const killTime = 5 * time.Second

// stop asks a cancelled command to end, more and more firmly, and waits for it, but not without end.
func (r *run) stop() {
	grace := r.client.o.Grace
	if r.command.Lifeline {
		close(r.hangup)
		if r.gone(grace) {
			return
		}
	}
	r.session.kill(ssh.SIGTERM)
	if r.mark != "" {
		r.killMarked()
		return
	}
	if r.gone(grace) {
		return
	}
	r.session.kill(ssh.SIGKILL)
	if r.gone(min(grace, time.Second)) {
		return
	}
	r.session.abandon()
	r.gone(min(grace, time.Second))
}

// killMarked ends a marked command from a session of its own. That the command's session has ended means little: it
// is the login shell's, and what sudo runs may live on.
func (r *run) killMarked() {
	grace := r.client.o.Grace
	killed := make(chan struct{})
	r.client.spawn(func() {
		defer close(killed)
		ctx, cancel := context.WithTimeout(context.Background(), 2*grace+killTime)
		defer cancel()
		_, err := r.client.Run(ctx, Command{Sudo: r.command.Sudo, Lifeline: true, // so that it has no mark itself
			Args: []string{"sh", "-c", killScript, "podium-kill", markVariable + "=" + r.mark, strconv.Itoa(int(grace / (100 * time.Millisecond)))}})
		if err != nil {
			r.client.log.Debug("cannot end a cancelled command", "node", r.client.Name(), "error", err)
		}
	})
	if ended(killed, 2*grace) {
		return
	}
	r.session.abandon() // perhaps there was no room for another session
	ended(killed, killTime)
}

// ended waits until done is closed.
func ended(done <-chan struct{}, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// gone waits for the command's end.
func (r *run) gone(wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-r.session.exited:
		return true
	case <-r.session.over:
		return true
	case <-timer.C:
		return false
	}
}
