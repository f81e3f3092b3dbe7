package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"podium/provision/folder"
)

// maxAgentKeys is how many keys of an agent are offered: OpenSSH's sshd ends a login after 6 refused tries
// (MaxAuthTries, sshd_config(5)), of which one may have gone to the lab's own key.
const maxAgentKeys = 5

// authError is a refused login. It is ErrAuth.
type authError struct {
	node, user string
	keys       []string // what was offered, for the message
	banner     string   // what the server said before
	hint       string
	err        error
}

func (e *authError) Error() string {
	text := fmt.Sprintf("%s: %v for user %s", e.node, ErrAuth, e.user)
	if len(e.keys) > 0 {
		text += " with " + listing(e.keys)
	}
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	if e.banner != "" {
		text += fmt.Sprintf(" (the server says: %s)", shorten(e.banner, 200))
	}
	if e.hint != "" {
		text += ": " + e.hint
	}
	return text
}

func (e *authError) Unwrap() []error { return []error{ErrAuth, e.err} }

func listing(items []string) string {
	text := items[0]
	for _, item := range items[1:] {
		text += ", " + item
	}
	return text
}

// login offers keys to one server: the named key file, or the lab's own key and then the agent's. The agent is
// connected only when the key file did not do.
type login struct {
	dialer *Dialer
	ctx    context.Context
	node   string
	user   string
	file   string // of the Endpoint; empty: the lab's own, then the agent

	round   int // what to offer next
	offered []string
	banner  string
	agent   func() error // closes the agent's connection
	hint    string
}

// callback picks what to try next; see ssh.ClientAuthCallback.
func (l *login) callback(a *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	if !slices.Contains(a.AllowedMethods, "publickey") {
		return nil, l.refused(fmt.Errorf("the server wants %v", a.AllowedMethods), "podium logs in with keys only: allow PubkeyAuthentication in its sshd_config")
	}
	for {
		signers, err := l.signers(l.round)
		l.round++
		if err != nil {
			return nil, l.refused(err, "")
		}
		if signers == nil {
			return nil, l.refused(nil, cmp.Or(l.hint, l.advice()))
		}
		if len(signers) > 0 {
			return ssh.PublicKeys(signers...), nil
		}
	}
}

// signers gives the keys of the n-th round: none in a round that has nothing, nil when there is no further round.
func (l *login) signers(round int) ([]ssh.Signer, error) {
	switch {
	case round == 0 && l.file != "":
		return l.fromFile(l.file)
	case l.file != "":
		return nil, nil
	case round == 0 && l.dialer.o.KeyFile != "":
		signers, err := l.fromFile(l.dialer.o.KeyFile)
		if errors.Is(err, fs.ErrNotExist) && l.dialer.o.Agent {
			return []ssh.Signer{}, nil
		}
		return signers, err
	case round == 0:
		return []ssh.Signer{}, nil
	case round == 1 && l.dialer.o.Agent:
		return l.fromAgent(), nil
	}
	return nil, nil
}

// fromFile loads a key file. One with a passphrase is looked for in the agent.
func (l *login) fromFile(file string) ([]ssh.Signer, error) {
	signer, err := l.dialer.keys.load(file)
	var locked *lockedKey
	if errors.As(err, &locked) {
		if signer = l.agentHolds(locked.public); signer == nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	l.offered = append(l.offered, "key "+file)
	return []ssh.Signer{signer}, nil
}

func (l *login) fromAgent() []ssh.Signer {
	signers, err := l.dialAgent()
	if err != nil {
		l.hint = fmt.Sprintf("no SSH agent either (%v): give the node a key file, or load one with ssh-add", err)
		return nil
	}
	if len(signers) > maxAgentKeys {
		l.hint = fmt.Sprintf("the agent holds %d keys and a server takes about %d: name the node's key file", len(signers), maxAgentKeys)
		signers = signers[:maxAgentKeys]
	}
	if len(signers) == 0 {
		l.hint = "the SSH agent is empty: load a key with ssh-add, or give the node a key file"
		return nil
	}
	l.offered = append(l.offered, fmt.Sprintf("%d keys of the agent", len(signers)))
	return signers
}

func (l *login) agentHolds(key ssh.PublicKey) ssh.Signer {
	if key == nil {
		return nil
	}
	signers, err := l.dialAgent()
	if err != nil {
		return nil
	}
	for _, s := range signers {
		if sameKey(s.PublicKey(), key) {
			return s
		}
	}
	return nil
}

func (l *login) dialAgent() ([]ssh.Signer, error) {
	conn, err := dialAgent(l.ctx)
	if err != nil {
		return nil, err
	}
	l.agent = conn.Close
	stop := context.AfterFunc(l.ctx, func() { _ = conn.Close() })
	defer stop()
	return agent.NewClient(conn).Signers()
}

// done ends the connection to the agent, which is needed while keys sign.
func (l *login) done() {
	if l.agent != nil {
		_ = l.agent()
	}
}

// advice says what to do about a refusal that nothing else explains.
func (l *login) advice() string {
	if len(l.offered) == 0 {
		return "there is no key to log in with: give the node a key file, or load one with ssh-add"
	}
	return "is its public half in ~/.ssh/authorized_keys of that user?"
}

func (l *login) refused(err error, hint string) error {
	return &authError{node: l.node, user: l.user, keys: l.offered, banner: l.banner, hint: hint, err: err}
}

// lockedKey is a key file with a passphrase.
type lockedKey struct {
	file   string
	public ssh.PublicKey // nil if not known
}

func (e *lockedKey) Error() string {
	return fmt.Sprintf("key %s has a passphrase and the SSH agent does not hold it: run ssh-add %s", e.file, e.file)
}

// keyring remembers key files that were read, so that a hundred logins parse one key once.
type keyring struct {
	mu    sync.Mutex
	files map[string]loaded
}

type loaded struct {
	signer  ssh.Signer
	changed time.Time
	size    int64
}

func (k *keyring) load(file string) (ssh.Signer, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", file, unwrapPath(err))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if l, ok := k.files[file]; ok && l.changed.Equal(info.ModTime()) && l.size == info.Size() {
		return l.signer, nil
	}
	data, err := folder.ReadFile(file, maxKey)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", file, unwrapPath(err))
	}
	signer, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		public := locked.PublicKey
		if public == nil {
			public, _ = readPublic(file + ".pub")
		}
		return nil, &lockedKey{file: file, public: public}
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w: it must be an OpenSSH or PEM private key", file, err)
	}
	if k.files == nil {
		k.files = map[string]loaded{}
	}
	k.files[file] = loaded{signer: signer, changed: info.ModTime(), size: info.Size()}
	return signer, nil
}

// unwrapPath takes off what os puts before the reason.
func unwrapPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
