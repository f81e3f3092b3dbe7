package remote

import (
	"context"
	"time"

	"golang.org/x/crypto/ssh"
)

// markVariable is in the environment of commands that sshd cannot signal, so that they can be found.
const markVariable = "PODIUM_RUN"

// marked tells whether a command needs a mark to be ended. sshd signals with the rights of the user, who may not signal
// what sudo runs; and for root it does not signal at all before OpenSSH 9.8 (session_signal_req in session.c: "session
// signalling requires privilege separation"). A command with a Lifeline ends by itself.
func (c Command) marked(user string) bool { return !c.Lifeline && (c.Sudo || user == "root") }

// killScript sends the signal $1 to every process with $2 in its environment.
const killScript = `for e in $(grep -lzxF "$2" /proc/[0-9]*/environ 2>/dev/null); do
p=${e#/proc/}; kill -s "$1" "${p%/environ}" 2>/dev/null; done; :`

// killTime bounds killScript, which looks at every process of the node.
const killTime = 5 * time.Second

// stop asks a cancelled command to end, more and more firmly, and waits for it, but not for ever.
func (r *run) stop() {
	grace := r.client.o.Grace
	if r.command.Lifeline {
		close(r.hangup)
		if r.gone(grace) {
			return
		}
	}
	r.session.kill(ssh.SIGTERM)
	r.killMarked(ssh.SIGTERM)
	if r.gone(grace) {
		return
	}
	r.session.kill(ssh.SIGKILL)
	r.session.abandon() // makes room for the session that kills
	killed := r.killMarked(ssh.SIGKILL)
	r.gone(min(grace, time.Second))
	select {
	case <-killed:
	case <-time.After(killTime):
	}
}

// killMarked signals a marked command from a session of its own, and closes done afterwards.
func (r *run) killMarked(signal ssh.Signal) (done chan struct{}) {
	done = make(chan struct{})
	if r.mark == "" {
		close(done)
		return done
	}
	r.client.spawn(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), killTime)
		defer cancel()
		_, err := r.client.Run(ctx, Command{Sudo: r.command.Sudo, Lifeline: true, // so that it has no mark itself
			Args: []string{"sh", "-c", killScript, "podium-kill", string(signal), markVariable + "=" + r.mark}})
		if err != nil {
			r.client.log.Debug("cannot signal a cancelled command", "node", r.client.Name(), "error", err)
		}
	})
	return done
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
