package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/crypto/ssh"

	"podium/provision/folder"
)

// pins are the host keys of nodes, pinned at first contact. They are kept in a file of OpenSSH's known_hosts format
// (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) under the node's name, not its address, because forwarded ports and addresses
// change: ssh reads the same file with HostKeyAlias. Several processes and goroutines may use one file: it is written
// under a lock, by rename, and read again before a key is pinned or refused.
type pins struct {
	file string // empty: kept in memory only

	mu    sync.Mutex
	known map[string][]pin // by name; what the file held when it was last read
	ready bool             // known was read once
	queue []*contact       // waiting to be settled

	writing sync.Mutex // held while the file is read, changed and written
}

// pin is one line of the file for one name.
type pin struct {
	key  ssh.PublicKey
	line int // from 1
}

// contact is a key shown by a node that the pins at hand do not settle.
type contact struct {
	name    string
	key     ssh.PublicKey
	settled bool // guarded by pins.writing
	err     error
}

// maxPins bounds what is read of the file, in bytes: a thousand nodes have a tenth of it.
const maxPins = 4 << 20

// lockWait bounds the wait for another process that writes the file; a write takes milliseconds.
const lockWait = 30 * time.Second

// algorithms gives the host key algorithms to offer for a name: those of its pinned keys first, so that a server with
// several keys shows the pinned one, then the others, so that a changed key is seen and can be named.
func (p *pins) algorithms(ctx context.Context, name string, given []ssh.PublicKey) ([]string, error) {
	keys := given
	if len(keys) == 0 {
		known, err := p.lookup(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, k := range known {
			keys = append(keys, k.key)
		}
	}
	order := []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512}
	var first, rest []string
	for _, algorithm := range order {
		if slices.ContainsFunc(keys, func(k ssh.PublicKey) bool { return keyType(algorithm) == k.Type() }) {
			first = append(first, algorithm)
		} else {
			rest = append(rest, algorithm)
		}
	}
	return append(first, rest...), nil
}

// keyType is the type of key that signs with the algorithm.
func keyType(algorithm string) string {
	if algorithm == ssh.KeyAlgoRSASHA256 || algorithm == ssh.KeyAlgoRSASHA512 {
		return ssh.KeyAlgoRSA
	}
	return algorithm
}

// check accepts the pinned key, pins a first one, and refuses any other with a *HostKeyError.
func (p *pins) check(ctx context.Context, name string, key ssh.PublicKey) error {
	known, err := p.lookup(ctx, name)
	if err != nil {
		return err
	}
	if matches(known, key) {
		return nil
	}
	c := &contact{name: name, key: key}
	p.mu.Lock()
	p.queue = append(p.queue, c)
	p.mu.Unlock()

	// The one that gets the turn settles all that wait, so that a hundred first contacts do not write a hundred files.
	p.writing.Lock()
	defer p.writing.Unlock()
	if c.settled {
		return c.err
	}
	p.mu.Lock()
	batch := p.queue
	p.queue = nil
	p.mu.Unlock()
	err = p.change(ctx, func(b *book) { b.settle(batch, p.file) })
	for _, c := range batch {
		c.settled = true
		if err != nil {
			c.err = fmt.Errorf("%s: pin host key: %w", c.name, err)
		}
	}
	return c.err
}

// forget removes the pins of a name.
func (p *pins) forget(ctx context.Context, name string) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	if err := p.change(ctx, func(b *book) { b.remove(name) }); err != nil {
		return fmt.Errorf("%s: forget host key: %w", name, err)
	}
	return nil
}

// lookup gives the pins of a name, from memory once the file was read.
func (p *pins) lookup(ctx context.Context, name string) ([]pin, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ready && p.file != "" {
		unlock, err := p.lock(ctx, false)
		if err != nil {
			return nil, err
		}
		b, err := readBook(p.file)
		unlock()
		if err != nil {
			return nil, err
		}
		p.known = b.known
	}
	p.ready = true
	return p.known[name], nil
}

// change reads the file, lets edit change it, and writes it if it is different then. The caller holds p.writing.
func (p *pins) change(ctx context.Context, edit func(*book)) error {
	b := &book{}
	if p.file == "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		b.known = p.known
		edit(b)
		p.known = b.known
		return nil
	}
	unlock, err := p.lock(ctx, true)
	if err != nil {
		return err
	}
	defer unlock()
	if b, err = readBook(p.file); err != nil {
		return err
	}
	edit(b)
	if b.changed {
		if err := folder.WriteFile(p.file, b.bytes(), 0o600); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known, p.ready = b.known, true
	return nil
}

// lock keeps other processes from the file. Readers take the lock too: Windows does not replace a file that is open.
// Nothing is made for a reader where there is no file yet.
func (p *pins) lock(ctx context.Context, write bool) (unlock func(), err error) {
	if write {
		if err := os.MkdirAll(filepath.Dir(p.file), 0o700); err != nil {
			return nil, err
		}
	} else if _, err := os.Stat(p.file); errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	l := flock.New(p.file+".lock", flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, 5*time.Millisecond); err != nil {
		return nil, fmt.Errorf("lock %s.lock: %w", p.file, err)
	}
	return func() { _ = l.Unlock() }, nil
}

// book is the file's content, line by line, and what it says.
type book struct {
	lines   []string
	known   map[string][]pin
	changed bool
}

// readBook reads a known_hosts file; a missing one is empty. A line that cannot be understood is an error, because
// leaving it out would pin whatever key comes next.
func readBook(file string) (*book, error) {
	b := &book{known: map[string][]pin{}}
	data, err := folder.At(filepath.Dir(file)).Read(filepath.Base(file), maxPins)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		b.lines = append(b.lines, strings.TrimRight(line, "\r\n"))
	}
	if err := b.index(); err != nil {
		return nil, fmt.Errorf("%s:%w", file, err)
	}
	return b, nil
}

// index fills known from lines.
func (b *book) index() error {
	b.known = map[string][]pin{}
	for i, line := range b.lines {
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		marker, names, key, _, _, err := ssh.ParseKnownHosts([]byte(text + "\n"))
		if err == nil && marker != "" {
			err = fmt.Errorf("marker @%s is not supported", marker)
		}
		if err == nil {
			err = plainNames(names)
		}
		if err != nil {
			return fmt.Errorf("%d: %w: remove or correct this line", i+1, err)
		}
		for _, name := range names {
			b.known[name] = append(b.known[name], pin{key: key, line: i + 1})
		}
	}
	return nil
}

// plainNames refuses names that stand for others: podium writes none, and one that it took for a plain name would let
// another key be pinned beside it.
func plainNames(names []string) error {
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "|"):
			return errors.New("the name is hashed (ssh-keygen -H)")
		case strings.ContainsAny(name, "*?!"):
			return fmt.Errorf("%q is a pattern", name)
		}
	}
	return nil
}

// settle decides about every contact: known now, new, or refused.
func (b *book) settle(batch []*contact, file string) {
	if b.known == nil {
		b.known = map[string][]pin{}
	}
	for _, c := range batch {
		switch known := b.known[c.name]; {
		case matches(known, c.key):
		case len(known) > 0:
			c.err = refusal(c.name, file, known, c.key)
		default:
			b.lines = append(b.lines, c.name+" "+strings.TrimSpace(string(ssh.MarshalAuthorizedKey(c.key))))
			b.known[c.name] = []pin{{key: c.key, line: len(b.lines)}}
			b.changed = true
		}
	}
}

// remove takes a name out of every line; a line without names goes.
func (b *book) remove(name string) {
	if len(b.known[name]) == 0 {
		return
	}
	var kept []string
	for i, line := range b.lines {
		if slices.ContainsFunc(b.known[name], func(p pin) bool { return p.line == i+1 }) {
			names, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			others := slices.DeleteFunc(strings.Split(names, ","), func(n string) bool { return n == name })
			if len(others) == 0 {
				continue
			}
			line = strings.Join(others, ",") + " " + rest
		}
		kept = append(kept, line)
	}
	b.changed = true
	if b.lines == nil { // in memory
		delete(b.known, name)
		return
	}
	b.lines = kept
	_ = b.index() // was understood before
}

func (b *book) bytes() []byte {
	if len(b.lines) == 0 {
		return nil
	}
	return []byte(strings.Join(b.lines, "\n") + "\n")
}

func matches(known []pin, key ssh.PublicKey) bool {
	return slices.ContainsFunc(known, func(p pin) bool { return sameKey(p.key, key) })
}

func sameKey(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

func refusal(name, file string, known []pin, shown ssh.PublicKey) *HostKeyError {
	e := &HostKeyError{Node: name, Shown: fingerprint(shown), File: file, Line: known[0].line}
	for _, k := range known {
		e.Pinned = append(e.Pinned, fingerprint(k.key))
	}
	return e
}

func fingerprint(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

// checkGiven accepts only keys that were known before the first contact.
func checkGiven(name string, given []ssh.PublicKey, key ssh.PublicKey) error {
	e := &HostKeyError{Node: name, Shown: fingerprint(key)}
	for _, g := range given {
		if sameKey(g, key) {
			return nil
		}
		e.Pinned = append(e.Pinned, fingerprint(g))
	}
	return e
}
