package sim

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"podium/provision/machine"
	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
	"podium/provision/remote"
)

// node is one simulated machine with its sshd.
type node struct {
	host *Host
	spec Machine
	user string

	mu        sync.Mutex
	power     sync.Mutex // held while the machine goes on or off; taken before mu
	machine   *guest.Machine
	behaviour atomic.Pointer[behaviour] // another one while programs run, when a lab is described again
	keys      []ssh.Signer              // the second is shown after a swap
	boots     int
	port      int
	booting   chan struct{} // closed when the boot is over; nil: not booting
	server    *server
	snapshots map[string]*vfs.Image
}

func newNode(h *Host, d Description, m Machine, img *vfs.Image, b *behaviour) (*node, error) {
	n := &node{host: h, spec: m, user: d.User, snapshots: map[string]*vfs.Image{}}
	for range 2 {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			return nil, err
		}
		signer, err := ssh.NewSignerFromKey(key)
		if err != nil {
			return nil, err
		}
		n.keys = append(n.keys, signer)
	}
	n.machine = &guest.Machine{
		Name: m.Name, Programs: h.programs, Net: (*network)(h), Now: h.now, Log: h.log, Init: boot,
		Hardware: guest.Hardware{CPUs: max(m.CPUs, 1), Memory: m.Memory, Disk: m.Disk, Address: m.Address, Network: d.Network, Arch: "amd64"},
	}
	n.setDisk(img.Open(n.machine.Time))
	err := n.personalize(d)
	n.machine.Faults = faults{n}
	n.behave(b)
	return n, errors.Join(err, n.checkDisk())
}

// setDisk gives the machine a filesystem, with its virtual directories.
func (n *node) setDisk(fs *vfs.FS) {
	n.machine.FS = fs
	mountKernel(n.machine)
}

func (n *node) behave(b *behaviour) {
	b.disrupt = n.disrupt
	n.mu.Lock()
	defer n.mu.Unlock()
	n.behaviour.Store(b)
	n.machine.FS.SetCapacity(n.capacity())
}

// faults asks for the behaviour of the moment.
type faults struct{ n *node }

func (f faults) Before(ctx context.Context, m *guest.Machine, args []string) (time.Duration, <-chan struct{}, error) {
	return f.n.behaviour.Load().Before(ctx, m, args)
}

func (f faults) Offline(m *guest.Machine) bool { return f.n.behaviour.Load().Offline(m) }

func (f faults) Download(m *guest.Machine, url string) error {
	return f.n.behaviour.Load().Download(m, url)
}

// capacity is the size of the disk in bytes; the lock is held.
func (n *node) capacity() int64 {
	if n.behaviour.Load().b.DiskFull {
		used, _ := n.machine.FS.Usage()
		return used
	}
	if own, _ := size(n.behaviour.Load().b.Disk); own > 0 {
		return own
	}
	return n.spec.Disk
}

// checkDisk fails when the disk does not hold even the system.
func (n *node) checkDisk() error {
	used, disk := n.machine.FS.Usage()
	if disk > 0 && disk < used {
		return fmt.Errorf("a disk of %.1f GiB is too small: the system takes %.1f GiB: give the node more disk", float64(disk)/(1<<30), float64(used)/(1<<30))
	}
	return nil
}

// personalize writes what tells this node from others on a fresh disk.
func (n *node) personalize(d Description) error {
	fs, root := n.machine.FS, vfs.Root()
	home := "/root"
	if u, ok := n.machine.FindUser(d.User); ok {
		home = u.Home
	}
	hosts, err := fs.ReadFile(root, "/etc/hosts")
	return errors.Join(err,
		fs.WriteFile(root, "/etc/hostname", n.spec.Name+"\n", 0o644),
		fs.WriteFile(root, "/etc/hosts", strings.Replace(hosts, "127.0.0.1 localhost\n", "127.0.0.1 localhost\n127.0.1.1 "+n.spec.Name+"\n", 1), 0o644),
		fs.WriteFile(root, "/etc/machine-id", machineID(n.keys[0].PublicKey()), 0o444),
		fs.MkdirAll(root, home+"/.ssh", 0o700), fs.Chmod(root, home+"/.ssh", 0o700),
		fs.WriteFile(root, home+"/.ssh/authorized_keys", d.PublicKey+"\n", 0o600), fs.Chmod(root, home+"/.ssh/authorized_keys", 0o600),
		fs.WriteFile(root, "/etc/ssh/ssh_host_ed25519_key.pub", string(ssh.MarshalAuthorizedKey(n.keys[0].PublicKey())), 0o644),
		own(fs, n.machine, d.User, home+"/.ssh", home+"/.ssh/authorized_keys"),
	)
}

// machineID is drawn from the host's key, which no other node has.
func machineID(key ssh.PublicKey) string {
	sum := sha256.Sum256(key.Marshal())
	return fmt.Sprintf("%x\n", sum[:16])
}

func own(fs *vfs.FS, m *guest.Machine, user string, files ...string) error {
	u, ok := m.FindUser(user)
	if !ok {
		return fmt.Errorf("no account %q", user)
	}
	var errs []error
	for _, f := range files {
		errs = append(errs, fs.Chown(vfs.Root(), f, int(u.UID), int(u.GID), true))
	}
	return errors.Join(errs...)
}

func (n *node) endpoint() remote.Endpoint {
	n.mu.Lock()
	defer n.mu.Unlock()
	return remote.Endpoint{
		Node: n.spec.Name, Host: "127.0.0.1", Port: n.port, User: n.user,
		HostKeys: []string{strings.TrimSpace(string(ssh.MarshalAuthorizedKey(n.keys[0].PublicKey())))},
	}
}

func (n *node) state() machine.State {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.booting != nil:
		return machine.Unknown
	case n.server != nil:
		return machine.Running
	}
	return machine.Stopped
}

// up starts the node if it is stopped and waits until it has booted.
func (n *node) up(ctx context.Context) error {
	for {
		n.mu.Lock()
		if n.server != nil && n.booting == nil {
			n.mu.Unlock()
			return nil
		}
		if n.booting == nil {
			n.booting = make(chan struct{})
			go n.boot(n.booting)
		}
		booted := n.booting
		n.mu.Unlock()
		select {
		case <-booted:
			if n.host.ctx.Err() != nil {
				return fmt.Errorf("%s: the simulator is ending", n.spec.Name)
			}
			if n.state() == machine.Stopped {
				return fmt.Errorf("%s: was halted while it booted", n.spec.Name)
			}
		case <-ctx.Done():
			return fmt.Errorf("%s: start: %w", n.spec.Name, context.Cause(ctx))
		}
	}
}

// boot powers the machine on; done is closed when its sshd answers.
func (n *node) boot(done chan struct{}) {
	defer close(done)
	n.mu.Lock()
	b := n.behaviour.Load()
	n.boots++
	n.mu.Unlock()
	err := pause(n.host.ctx, b.draw(b.b.Boot))
	n.power.Lock()
	defer n.power.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.booting != done { // halted meanwhile
		return
	}
	n.booting = nil
	if err != nil {
		return
	}
	kernel, err := n.machine.Boot(n.host.ctx)
	if err != nil {
		n.host.log.Error("boot", "node", n.spec.Name, "error", err)
		return
	}
	if ahead, err := time.ParseDuration(b.b.Clock); err == nil {
		kernel.SetClock(n.host.now().Add(ahead))
	}
	if lock := b.draw(b.b.AptLock); lock > 0 {
		holdAptLock(kernel, lock)
	}
	kernel.Initialize()
	b.mu.Lock()
	b.refused = 0
	b.mu.Unlock()
	listener, err := n.listen()
	if err != nil {
		n.host.log.Error("listen", "node", n.spec.Name, "error", err)
		n.machine.Halt()
		return
	}
	key := n.keys[0]
	if b.b.HostKey == "swapped" && n.boots > 1 {
		key = n.keys[1]
	}
	n.server = serveSSH(n, kernel, listener, key)
	kernel.OnPower(func(reboot bool) {
		go func() {
			n.halt()
			if reboot && n.host.ctx.Err() == nil {
				n.up(n.host.ctx) //nolint:errcheck // who waits for the node sees its state
			}
		}()
	})
}

// listen takes the node's port, the same as before if it can be had.
func (n *node) listen() (net.Listener, error) {
	var lc net.ListenConfig
	if n.port != 0 {
		if l, err := lc.Listen(n.host.ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", n.port)); err == nil {
			return l, nil
		}
	}
	l, err := lc.Listen(n.host.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n.port = l.Addr().(*net.TCPAddr).Port
	return l, nil
}

// halt powers the machine off; nil if it is off.
func (n *node) halt() {
	if s := n.powerOff(); s != nil {
		s.wait()
	}
}

// powerOff ends the machine at once and returns its sshd, whose sessions may still be ending; nil if it did not run.
func (n *node) powerOff() *server {
	n.power.Lock()
	defer n.power.Unlock()
	n.mu.Lock()
	n.booting = nil
	s := n.server
	n.server = nil
	n.mu.Unlock()
	if s != nil {
		s.close()
	}
	n.machine.Halt()
	return s
}

// disrupt carries out a fault.
func (n *node) disrupt(kind string) {
	n.mu.Lock()
	s := n.server
	n.mu.Unlock()
	if s == nil {
		return
	}
	if kind == "drop" {
		s.drop()
		return
	}
	n.halt()
	go n.up(n.host.ctx) //nolint:errcheck // who waits for the node sees its state
}

func (n *node) snapshot(tag string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server != nil || n.booting != nil {
		return fmt.Errorf("%s: snapshot: the node runs: halt it first", n.spec.Name)
	}
	n.snapshots[tag] = n.machine.FS.Image()
	return nil
}

func (n *node) restore(tag string) error {
	n.halt()
	n.mu.Lock()
	img := n.snapshots[tag]
	if img == nil {
		tags := len(n.snapshots)
		n.mu.Unlock()
		return fmt.Errorf("%s: %w: %q (it has %d)", n.spec.Name, machine.ErrNoSnapshot, tag, tags)
	}
	n.setDisk(img.Open(n.machine.Time))
	b := n.behaviour.Load()
	n.mu.Unlock()
	n.behave(b)
	return nil
}

func (n *node) deleteSnapshot(tag string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	snapshots := maps.Clone(n.snapshots)
	delete(snapshots, tag)
	n.snapshots = snapshots
}
