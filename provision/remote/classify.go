package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Class says what may be done about an error.
type Class string

// The classes of error.
const (
	Retry Class = "retry" // the same again may work: not up yet, or the connection was lost
	Auth  Class = "auth"  // needs another key or user
	Never Class = "never" // trying again changes nothing, or the caller gave up
)

// Classify says whether trying again may help. It is the one place that decides so for SSH. A nil error and an error
// of another origin are Never; so is an *ExitError: whether a command may run twice is its owner's knowledge.
func Classify(err error) Class {
	var exit *ExitError
	switch {
	case err == nil, errors.As(err, &exit), errors.Is(err, context.Canceled), errors.Is(err, ErrHostKey):
		return Never
	case errors.Is(err, ErrAuth):
		return Auth
	case errors.Is(err, ErrUnreachable), errors.Is(err, ErrDisconnected), errors.Is(err, ErrChecksum):
		return Retry
	}
	return Never
}

// handshakeError puts a failed try to connect into one of this package's errors. x/crypto/ssh has no types for most
// of them, so the texts of its client_auth.go and messages.go (v0.58) are looked at here and nowhere else.
func handshakeError(node, user string, err error) error {
	var disconnected = func(reason string) bool {
		return strings.Contains(err.Error(), "ssh: disconnect, reason "+reason)
	}
	var negotiation *ssh.AlgorithmNegotiationError
	var refused *authError
	text := err.Error()
	switch {
	case errors.Is(err, ErrHostKey):
		return err
	case errors.As(err, &refused) && refused.node == node:
		return refused
	case errors.Is(err, ErrAuth): // of a jump host
		return err
	case strings.Contains(text, "oo many authentication failures"):
		return &authError{node: node, user: user, err: err, hint: "the server stops after too many keys: name the right one (key file), or unload others from the agent"}
	case strings.Contains(text, "unable to authenticate"), strings.Contains(text, "no authentication method"), disconnected("14"):
		return &authError{node: node, user: user, err: err}
	case errors.As(err, &negotiation):
		return &permanentError{err: errors.Join(ErrUnreachable, err)}
	}
	return err
}

// unreachableHint says where to look, by the cause of the last try.
func unreachableHint(err error) string {
	var timeout net.Error
	var rejected *ssh.OpenChannelError
	switch {
	case errors.As(err, &rejected):
		return "is the machine on, and is its address right as the jump host sees it?"
	case unknownName(err):
		return "the host name is not known: check the node's address"
	case cannotResolve(err):
		return "the host name cannot be looked up: is this computer's network up, and its name server?"
	case connectionRefused(err):
		return "nothing listens on that port: is sshd running there, and is the port right?"
	case noRoute(err):
		return "no way there: is the machine on, and is its network (host-only card, VPN) up?"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "is the machine on and its boot finished? look at its console; a firewall can be silent, too"
	case hungUp(err), errors.Is(err, net.ErrClosed):
		return "something accepts and hangs up: sshd may be starting, or have too many logins at once (MaxStartups)"
	}
	return "is the machine on, its boot finished and sshd running? look at its console"
}

// cannotResolve reports whether a host name has no address, for whatever reason.
func cannotResolve(err error) bool {
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

// unknownName reports whether a name server has said that there is no such host.
func unknownName(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}

// hungUp tells whether the other side took the connection and ended it again.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || connectionReset(err)
}

// permanentError marks a failed try that no further try can change.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }
