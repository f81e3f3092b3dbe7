// Package kube models Kubernetes as kubeadm makes it: kubeadm, the kubelet, the API server with its etcd, and kubectl.
//
// A cluster lives in memory while one of its API servers runs, and on the disks of its control planes (in /var/lib/etcd)
// when the machines are down, so that halts, reboots and snapshots keep it as they keep a real one.
package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// Cluster is one cluster. Its fields are guarded by mu.
type Cluster struct {
	mu sync.Mutex

	ID            string
	Revision      int64 // of the data, as etcd counts it
	Version       string
	CAHash        string
	PodSubnet     string
	ServiceSubnet string
	OwnRanges     bool              // the controller manager gives no ranges to nodes
	Whole         bool              // kubeadm init has ended: addons are there
	Members       map[string]string // control planes with etcd: name, address
	Tokens        map[string]*token
	CertKey       string // of the certificates uploaded for further control planes
	CertsExpire   time.Time
	Nodes         map[string]*Node
	Objects       map[string]object // by kind/namespace/name
	NextRange     int

	running map[string]*guest.Kernel // members whose API server runs
}

// token is a bootstrap token.
type token struct {
	Secret, About string
	Expires       time.Time // zero: never
}

// Node is a node of the cluster.
type Node struct {
	Name       string
	Machine    string // address of the machine in the lab's network
	InternalIP string // as the kubelet announces it
	Version    string
	Runtime    string
	OS, Kernel string
	Labels     map[string]string
	Taints     []string
	PodCIDR    string
	Cordoned   bool
	Created    time.Time
}

// object is something that was applied.
type object map[string]any

const (
	etcdDir  = "/var/lib/etcd"
	etcdFile = etcdDir + "/member/snap/db"
)

// registry finds the clusters that live.
type registry struct {
	mu   sync.Mutex
	live map[string]*Cluster
}

type registryKey struct{}

func registryOf(m *guest.Machine) *registry {
	return m.Net.Shared(registryKey{}, func() any { return &registry{live: map[string]*Cluster{}} }).(*registry)
}

var (
	errQuorum = errors.New("etcdserver: request timed out")
	errOther  = errors.New("tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of \"crypto/rsa: verification error\" while trying to verify candidate authority certificate \"kubernetes\")")
)

// serving reports whether etcd has a majority; the lock must be held.
func (c *Cluster) serving() bool { return len(c.running) > len(c.Members)/2 }

// changed counts a change; the lock must be held.
func (c *Cluster) changed() { c.Revision++ }

// save writes the cluster to a member's disk; the lock must be held.
func (c *Cluster) save(fs *vfs.FS) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := fs.MkdirAll(vfs.Root(), etcdDir+"/member/snap", 0o700); err != nil {
		return err
	}
	return fs.WriteFile(vfs.Root(), etcdFile, string(text), 0o600)
}

// open starts a member: the cluster from its disk, or the live one that it belongs to.
func open(k *guest.Kernel) (*Cluster, error) {
	text, err := k.Machine.FS.ReadFile(vfs.Root(), etcdFile)
	if err != nil {
		return nil, fmt.Errorf("etcd: no data in %s", etcdDir)
	}
	stored := &Cluster{}
	if err := json.Unmarshal([]byte(text), stored); err != nil {
		return nil, fmt.Errorf("etcd: data in %s is broken: %w", etcdDir, err)
	}
	r := registryOf(k.Machine)
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.live[stored.ID]; c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.running) > 0 && stored.Revision > c.Revision {
			return nil, fmt.Errorf("etcd: panic: tocommit(%d) is out of range [lastIndex(%d)]. Was the raft log corrupted, truncated, or lost?", stored.Revision, c.Revision)
		}
		if len(c.running) > 0 {
			return c, nil
		}
	}
	stored.running = map[string]*guest.Kernel{}
	r.live[stored.ID] = stored
	return stored, nil
}

// join makes a member's API server serve, until the machine goes down or leave is called.
func (c *Cluster) join(k *guest.Kernel, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, member := c.Members[name]; !member {
		return fmt.Errorf("etcd: %s is not a member", name)
	}
	stop, err := k.Listen(6443, &apiServer{c})
	if err != nil {
		return err
	}
	c.running[name] = k
	server := guest.Value(k, serverKey{}, func() *serverState { return &serverState{} })
	server.stop = func(keep bool) {
		stop()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.running[name] != k {
			return
		}
		if keep {
			c.save(k.Machine.FS) //nolint:errcheck // a full disk loses what was written last, as a real one does
		}
		delete(c.running, name)
	}
	k.OnHalt(func() { server.end(true) })
	return nil
}

// serverState is the API server of a machine.
type serverState struct {
	mu   sync.Mutex
	stop func(keep bool)
}

type serverKey struct{}

func (s *serverState) end(keep bool) {
	s.mu.Lock()
	stop := s.stop
	s.stop = nil
	s.mu.Unlock()
	if stop != nil {
		stop(keep)
	}
}

// leave ends the API server of a machine; what it held in memory is written to its disk if keep is set.
func leave(k *guest.Kernel, keep bool) {
	guest.Value(k, serverKey{}, func() *serverState { return &serverState{} }).end(keep)
}

// serves reports whether the machine's API server runs.
func serves(k *guest.Kernel) bool {
	s := guest.Value(k, serverKey{}, func() *serverState { return &serverState{} })
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop != nil
}
