package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/go-hclog"
	"golang.org/x/crypto/ssh"
)

// What DialOptions mean where they are zero.
const (
	DefaultDeadline  = 2 * time.Minute
	DefaultAnswer    = 15 * time.Second
	DefaultKeepalive = 15 * time.Second
	DefaultGrace     = 5 * time.Second
	DefaultSessions  = 10 // OpenSSH's MaxSessions, sshd_config(5)
)

// DialOptions say how a Dialer connects. The zero value connects with no key: give KeyFile or Agent.
type DialOptions struct {
	KnownHosts string // file of pinned host keys; made when missing. Empty: pinned for the Dialer's life only
	KeyFile    string // the lab's own private key, for endpoints without KeyFile
	Agent      bool   // try the SSH agent's keys last: SSH_AUTH_SOCK, on Windows also the system's agent
	// Deadline is how long Dial waits for a machine that boots; 0: DefaultDeadline. Negative: a node that is down or
	// silent fails at once; only one that hangs up is tried again a few times, since that is how sshd sends logins away
	// when too many come at once (MaxStartups, sshd_config(5)).
	Deadline time.Duration
	// Answer is how long a node that is not waited for may take from the connection to the login; 0: DefaultAnswer. Where it
	// is more than half a minute, tries at a node that boots may grow to it: a login cut short costs a slow node as much as
	// one that succeeds.
	Answer time.Duration
	// Keepalive is the time without a sign of life after which the node is asked for one. If nothing comes for as long
	// again, the connection counts as lost: a dead node is noticed within twice this time.
	// 0: DefaultKeepalive; negative: never asked.
	Keepalive time.Duration
	Grace     time.Duration // for a cancelled command to end by itself after each step of asking; 0: DefaultGrace
	Sessions  int           // sessions open at once on one connection; further ones wait. 0: DefaultSessions
	Log       hclog.Logger  // nil: none
}

// Dialer connects to nodes. It may be used by many goroutines; what it remembers (pinned host keys, key files,
// connections to jump hosts in use) they share.
type Dialer struct {
	o     DialOptions
	pins  *pins
	keys  *keyring
	jumps *jumps
	first time.Duration // firstTry, but in tests
}

// NewDialer gives a Dialer. Nothing is read or connected before the first Dial.
func NewDialer(o DialOptions) *Dialer {
	if o.Deadline == 0 {
		o.Deadline = DefaultDeadline
	}
	if o.Answer == 0 {
		o.Answer = DefaultAnswer
	}
	if o.Keepalive == 0 {
		o.Keepalive = DefaultKeepalive
	}
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	if o.Sessions <= 0 {
		o.Sessions = DefaultSessions
	}
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	return &Dialer{o: o, pins: &pins{file: o.KnownHosts}, keys: &keyring{}, jumps: &jumps{open: map[string]*jump{}}, first: firstTry}
}

// Dial connects to a node as Connect does, and gives it as a Host.
func (d *Dialer) Dial(ctx context.Context, e Endpoint) (Host, error) {
	c, err := d.Connect(ctx, e)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Forget removes the pinned host keys of a node, for a machine that was destroyed: the next one by this name is
// another machine and pins its own. Nothing happens if there are none.
func (d *Dialer) Forget(ctx context.Context, node string) error { return d.pins.forget(ctx, node) }

// Connect connects and logs in, trying again with growing pauses until the node's sshd answers or the deadline is
// over (*UnreachableError). A host name that does not exist ends it within seconds; a refused login (ErrAuth) or host key (ErrHostKey) ends it at once, except that the login
// of a machine seen booting is tried again for a while: keys may come late, and pam_nologin(8) holds users off.
func (d *Dialer) Connect(ctx context.Context, e Endpoint) (*Client, error) {
	t := &trial{dialer: d, endpoint: e.filled(), start: time.Now()}
	limited := ctx
	if d.o.Deadline > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, d.o.Deadline)
		defer cancel()
	}
	pause := &backoff.ExponentialBackOff{InitialInterval: 200 * time.Millisecond, RandomizationFactor: 0.3, Multiplier: 1.5, MaxInterval: 3 * time.Second}
	options := []backoff.RetryOption{backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, pause time.Duration) {
		d.o.Log.Debug("no SSH yet", "node", e.Node, "address", e.address(), "error", err, "pause", pause)
	})}
	if d.o.Deadline < 0 {
		options = append(options, backoff.WithMaxTries(hangUps))
	}
	c, err := backoff.Retry(limited, func() (*Client, error) { return t.once(limited) }, options...)
	if err == nil {
		d.o.Log.Debug("connected", "node", e.Node, "address", e.address(), "user", e.User, "took", time.Since(t.start))
		return c, nil
	}
	return nil, t.verdict(ctx, err)
}

// filled gives the endpoint with what is empty and has a default.
func (e Endpoint) filled() Endpoint {
	if e.Port == 0 {
		e.Port = 22
	}
	if e.Node == "" {
		e.Node = fmt.Sprintf("[%s]:%d", e.Host, e.Port) // as OpenSSH writes addresses in known_hosts
	}
	return e
}

func (e Endpoint) address() string { return net.JoinHostPort(e.Host, strconv.Itoa(e.Port)) }

// How long single steps of connecting may take. The first tries are short: VirtualBox's port forwarding accepts
// connections before the guest listens, and such a connection never answers. Once a server has said a word it gets the
// longest time: to cut its login short costs a slow node as much as the login itself, and the next one is as slow.
const (
	firstTry   = 6 * time.Second
	longestTry = 30 * time.Second
	hangUps    = 5 // tries at a node that is not waited for, if it hangs up
	nameTries  = 4 // tries at a host name that does not exist: about a second
	// bootLogin is how long a refused login of a booting machine is tried again.
	bootLogin = 30 * time.Second
)

// trial is the tries of one Connect.
type trial struct {
	dialer   *Dialer
	endpoint Endpoint
	start    time.Time
	tries    int
	last     error     // the last real failure, not the end of time
	refused  time.Time // first refused login
}

// once tries to connect once, and says by backoff.Permanent if that was for good.
func (t *trial) once(ctx context.Context) (*Client, error) {
	whole := max(longestTry, t.dialer.o.Answer)
	limit := min(t.dialer.first*time.Duration(t.tries+1), whole)
	if t.impatient() {
		limit, whole = t.dialer.o.Answer, t.dialer.o.Answer
	}
	t.tries++
	began := time.Now()
	tryCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	giveUp := time.AfterFunc(limit, cancel)
	defer giveUp.Stop()
	spoke := func() {
		if giveUp.Stop() {
			giveUp.Reset(whole - time.Since(began))
		}
	}
	c, err := t.dialer.handshake(tryCtx, t.endpoint, spoke)
	if err == nil {
		return c, nil
	}
	if tryCtx.Err() != nil {
		err = fmt.Errorf("%w in %v (%v)", errSilent, time.Since(began).Round(100*time.Millisecond), err)
	}
	if ctx.Err() == nil || t.last == nil {
		t.last = err
	}
	var permanent *permanentError
	switch {
	case errors.As(err, &permanent), errors.Is(err, ErrHostKey):
		return nil, backoff.Permanent(err)
	case errors.Is(err, ErrAuth) && !t.booting(err):
		return nil, backoff.Permanent(err)
	case t.impatient() && !hungUp(err), unknownName(err) && t.tries >= nameTries:
		return nil, backoff.Permanent(err)
	}
	return nil, err
}

func (t *trial) impatient() bool { return t.dialer.o.Deadline < 0 }

// errSilent is a node that takes a connection and says nothing.
var errSilent = &silentError{}

type silentError struct{}

func (*silentError) Error() string { return "no answer" }
func (*silentError) Timeout() bool { return true }

// booting tells whether a refused login may be due to a machine that is still booting.
func (t *trial) booting(err error) bool {
	if t.refused.IsZero() {
		t.refused = time.Now()
	}
	var refusal *authError
	if errors.As(err, &refusal) && (strings.Contains(refusal.banner, "pam_nologin") || strings.Contains(refusal.banner, "booting up")) {
		return true
	}
	// A first try that is refused is final, so earlier tries mean that sshd was not up then.
	return t.tries > 1 && time.Since(t.refused) < bootLogin
}

// verdict makes the error of a Connect that failed.
func (t *trial) verdict(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &opError{node: t.endpoint.Node, what: "connect to " + t.endpoint.address(), err: context.Cause(ctx)}
	}
	cause := t.last
	if cause == nil {
		cause = err
	}
	var permanent *backoff.PermanentError
	if errors.As(err, &permanent) {
		cause = permanent.Err
	}
	var mistake *permanentError
	switch {
	case errors.Is(cause, ErrAuth), errors.Is(cause, ErrHostKey):
		return &opError{node: t.endpoint.Node, err: cause}
	case errors.As(cause, &mistake):
		return &opError{node: t.endpoint.Node, what: "connect to " + t.endpoint.address(), err: mistake.err}
	}
	return &UnreachableError{Node: t.endpoint.Node, Address: t.endpoint.address(), Tries: t.tries, Waited: time.Since(t.start), Cause: cause}
}

// handshake connects, checks the host key and logs in, once. spoke is called when the server says its first word.
func (d *Dialer) handshake(ctx context.Context, e Endpoint, spoke func()) (*Client, error) {
	given, err := parseHostKeys(e)
	if err != nil {
		return nil, err
	}
	algorithms, err := d.pins.algorithms(ctx, e.Node, given)
	if err != nil {
		return nil, &permanentError{err: fmt.Errorf("pinned host keys: %w", err)}
	}
	raw, via, err := d.open(ctx, e)
	if err != nil {
		return nil, err
	}
	conn := &watched{Conn: raw, start: time.Now(), spoke: sync.OnceFunc(spoke)}
	l := &login{dialer: d, ctx: ctx, node: e.Node, user: e.User, file: e.KeyFile}
	defer l.done()
	var refused error // kept, because x/crypto/ssh flattens the callback's error to text
	config := d.config(e.User, algorithms, l)
	config.HostKeyCallback = func(_ string, _ net.Addr, key ssh.PublicKey) error {
		if len(given) > 0 {
			refused = checkGiven(e.Node, given, key)
		} else {
			refused = d.pins.check(ctx, e.Node, key)
		}
		return refused
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	c, channels, requests, err := ssh.NewClientConn(conn, e.address(), config)
	if !stop() && err == nil {
		_ = c.Close()
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = raw.Close()
		via.release()
		if refused != nil {
			err = refused
		}
		return nil, handshakeError(e.Node, e.User, err)
	}
	return d.client(e, conn, via, ssh.NewClient(c, channels, requests)), nil
}

// config is what podium asks of a server. SHA-1 and other broken algorithms that x/crypto/ssh still offers by default
// are left out. Key exchange: the one that withstands quantum computers where the server has it (OpenSSH 9.9), else
// P-256 before Curve25519, which RFC 9142 rates alike: sshd computes the first by OpenSSL and the second by portable C,
// which takes a tenth of the processor time of a whole login and command (scripts/bench/README.md).
func (d *Dialer) config(user string, hostKeys []string, l *login) *ssh.ClientConfig {
	safe := ssh.SupportedAlgorithms()
	first := []string{ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeECDHP256}
	exchanges := append(first, slices.DeleteFunc(safe.KeyExchanges, func(k string) bool { return slices.Contains(first, k) })...)
	return &ssh.ClientConfig{
		Config:            ssh.Config{KeyExchanges: exchanges, Ciphers: safe.Ciphers, MACs: safe.MACs},
		User:              user,
		ClientVersion:     "SSH-2.0-podium",
		HostKeyAlgorithms: hostKeys,
		AuthCallback:      l.callback,
		BannerCallback:    func(text string) error { l.banner = text; return nil },
	}
}

// open makes the connection below SSH: TCP, or a channel of the jump host.
func (d *Dialer) open(ctx context.Context, e Endpoint) (net.Conn, *jump, error) {
	if e.Host == "" {
		return nil, nil, &permanentError{err: fmt.Errorf("%w: no address is known", ErrUnreachable)}
	}
	if e.Jump == nil {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", e.address())
		return conn, nil, err
	}
	via, err := d.jumps.take(ctx, d, *e.Jump)
	if err != nil {
		return nil, nil, &jumpError{node: e.Jump.filled().Node, err: err}
	}
	conn, err := via.client.ssh.DialContext(ctx, "tcp", e.address())
	if err != nil {
		via.release()
		return nil, nil, fmt.Errorf("through jump host %s: %w", via.client.Name(), err)
	}
	return conn, via, nil
}

func parseHostKeys(e Endpoint) ([]ssh.PublicKey, error) {
	var keys []ssh.PublicKey
	for _, line := range e.HostKeys {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return nil, &permanentError{err: fmt.Errorf("%w: host key %q of the endpoint: %w", ErrHostKey, shorten(line, 60), err)}
		}
		keys = append(keys, key)
	}
	return keys, nil
}
