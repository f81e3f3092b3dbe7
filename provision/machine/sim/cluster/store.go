package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// object is a Kubernetes object as JSON has it. Objects in the store are never changed, only replaced.
type object = map[string]any

// key names an object. Kind is the resource with its plural name, such as nodes.
type key struct{ kind, namespace, name string }

const (
	etcdDir  = "/var/lib/etcd"
	registry = etcdDir + "/member/snap/registry" // a file per object
	header   = etcdDir + "/member/snap/db"
)

// etcdHeader is what an etcd member's disk says of the whole.
type etcdHeader struct {
	ID       string   `json:"id"`
	Members  []string `json:"members"` // names of the nodes
	Revision int64    `json:"revision"`
	NextCIDR int      `json:"nextCIDR"` // ranges of pods given away
	CIDR     string   `json:"podSubnet"`
	Service  string   `json:"serviceSubnet"`

	// Of etcd on machines of its own:
	External bool              `json:"external,omitempty"`
	Peers    map[string]string `json:"peers,omitempty"`   // where the members speak to each other, by name
	Added    []string          `json:"added,omitempty"`   // members that came later
	Started  []string          `json:"started,omitempty"` // members that have run
}

// store is the etcd cluster of one Kubernetes cluster while at least one member runs.
type store struct {
	mu       sync.Mutex
	head     etcdHeader
	objects  map[string]map[key]object // by kind
	live     map[string]*guest.Machine // members that run, by name
	kubelets map[string]*kubelet       // that report to the cluster, by node
	turn     int                       // of the scheduler
	changed  chan struct{}             // closed at the next change
	exposed  atomic.Pointer[exposure]  // what the nodes let in
}

// lab is what the clusters of a lab share.
type lab struct {
	mu     sync.Mutex
	stores map[string]*store
	open   atomic.Pointer[[]*store] // all stores, for those that may not wait
}

type labKey struct{}

func labOf(m *guest.Machine) *lab {
	return m.Net.Shared(labKey{}, func() any { return &lab{stores: map[string]*store{}} }).(*lab)
}

// errQuorum is what the API server says when most members are down.
var errQuorum = errors.New("etcdserver: no leader")

func newStore(head etcdHeader) *store {
	return &store{head: head, objects: map[string]map[key]object{}, live: map[string]*guest.Machine{}, kubelets: map[string]*kubelet{}, changed: make(chan struct{})}
}

// openStore starts the etcd member of a machine: from its own disk, brought up to date by the members that run.
func openStore(m *guest.Machine, name string) (*store, error) {
	text, err := m.FS.ReadFile(vfs.Root(), header)
	if err != nil {
		return nil, fmt.Errorf("etcd has no data in %s: %w", etcdDir, err)
	}
	var head etcdHeader
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		return nil, fmt.Errorf("etcd: %s is damaged: %w", header, err)
	}
	l := labOf(m)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stores[head.ID]
	if s != nil && head.External && !s.alive() {
		return s, s.reopen(m, name, head)
	}
	if s == nil || !s.alive() {
		s = newStore(head)
		if err := s.load(m); err != nil {
			return nil, err
		}
		s.live[name] = m
		l.stores[head.ID] = s
		all := slices.Collect(maps.Values(l.stores))
		l.open.Store(&all)
		return s, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.quorum() && head.Revision > s.head.Revision {
		s.head, s.objects = head, map[string]map[key]object{}
		if err := s.load(m); err != nil {
			return nil, err
		}
	}
	s.live[name] = m
	for _, member := range s.live {
		if err := s.copyTo(member); err != nil {
			return nil, err
		}
	}
	s.touch()
	return s, nil
}

// reopen is openStore for external etcd after all members had stopped: API servers hold on to the store.
func (s *store) reopen(m *guest.Machine, name string, head etcdHeader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head, s.objects = head, map[string]map[key]object{}
	if err := s.load(m); err != nil {
		return err
	}
	s.live[name] = m
	s.touch()
	return nil
}

// createStore writes the data of a new cluster with one member.
func createStore(m *guest.Machine, name string, head etcdHeader) error {
	head.ID, head.Members = random(8), []string{name}
	return newStore(head).copyTo(m)
}

// addMember makes a machine a member, with a copy of everything.
func (s *store) addMember(m *guest.Machine, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.quorum() {
		return errQuorum
	}
	if !slices.Contains(s.head.Members, name) {
		s.head.Members = append(slices.Clone(s.head.Members), name)
	}
	s.head.Revision++
	if err := s.copyTo(m); err != nil {
		return err
	}
	s.live[name] = m
	for _, member := range s.live {
		if err := s.writeHead(member); err != nil {
			return err
		}
	}
	return nil
}

// removeMember forgets a member.
func (s *store) removeMember(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head.Members = slices.DeleteFunc(slices.Clone(s.head.Members), func(n string) bool { return n == name })
	delete(s.live, name)
	s.head.Revision++
	for _, member := range s.live {
		s.writeHead(member) //nolint:errcheck // a full disk: the next change says so
	}
	s.touch()
}

// leave ends a member; its data stays.
func (s *store) leave(name string, m *guest.Machine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live[name] == m {
		delete(s.live, name)
		s.touch()
	}
}

func (s *store) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live) > 0
}

// quorum reports whether most members run; the lock must be held.
func (s *store) quorum() bool { return len(s.live) > len(s.head.Members)/2 }

// touch wakes those who wait for a change; the lock must be held.
func (s *store) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// load reads the objects on a machine's disk.
func (s *store) load(m *guest.Machine) error {
	root := vfs.Root()
	kinds, err := m.FS.ReadDir(root, registry)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	for _, kind := range kinds {
		spaces, err := m.FS.ReadDir(root, registry+"/"+kind.Name())
		if err != nil {
			return fmt.Errorf("etcd: %w", err)
		}
		for _, space := range spaces {
			names, err := m.FS.ReadDir(root, path.Join(registry, kind.Name(), space.Name()))
			if err != nil {
				return fmt.Errorf("etcd: %w", err)
			}
			for _, name := range names {
				file := path.Join(registry, kind.Name(), space.Name(), name.Name())
				text, err := m.FS.ReadFile(root, file)
				var o object
				if err == nil {
					err = json.Unmarshal([]byte(text), &o)
				}
				if err != nil {
					return fmt.Errorf("etcd: %s is damaged: %w", file, err)
				}
				s.keep(key{kind.Name(), strings.TrimPrefix(space.Name(), "_"), name.Name()}, o)
			}
		}
	}
	return nil
}

func (s *store) keep(k key, o object) {
	if s.objects[k.kind] == nil {
		s.objects[k.kind] = map[key]object{}
	}
	s.objects[k.kind][k] = o
}

// copyTo writes everything to a member's disk.
func (s *store) copyTo(m *guest.Machine) error {
	m.FS.RemoveAll(vfs.Root(), registry) //nolint:errcheck // it may not be there
	if err := m.FS.MkdirAll(vfs.Root(), registry, 0o700); err != nil {
		return err
	}
	for _, objects := range s.objects {
		for k, o := range objects {
			if err := writeObject(m, k, o); err != nil {
				return err
			}
		}
	}
	return s.writeHead(m)
}

func (s *store) writeHead(m *guest.Machine) error {
	text, err := json.Marshal(s.head)
	if err != nil {
		return err
	}
	return m.FS.WriteFile(vfs.Root(), header, string(text)+"\n", 0o600)
}

func (k key) file() string {
	space := k.namespace
	if space == "" {
		space = "_"
	}
	return path.Join(registry, k.kind, space, k.name)
}

func writeObject(m *guest.Machine, k key, o object) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	err = m.FS.WriteFile(vfs.Root(), k.file(), string(text), 0o600)
	if err == nil {
		return nil
	}
	if err := m.FS.MkdirAll(vfs.Root(), path.Dir(k.file()), 0o700); err != nil {
		return err
	}
	return m.FS.WriteFile(vfs.Root(), k.file(), string(text), 0o600)
}

// get returns an object, nil if there is none.
func (s *store) get(k key) object { return s.objects[k.kind][k] }

// list returns the objects of a kind in order of their names; namespace "" means all.
func (s *store) list(kind, namespace string) []object {
	var keys []key
	for k := range s.objects[kind] {
		if namespace == "" || k.namespace == namespace {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		if c := strings.Compare(a.namespace, b.namespace); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	out := make([]object, len(keys))
	for i, k := range keys {
		out[i] = s.objects[kind][k]
	}
	return out
}

// put writes an object; the lock must be held.
func (s *store) put(k key, o object) error {
	if !s.quorum() {
		return errQuorum
	}
	s.head.Revision++
	meta := child(o, "metadata")
	meta["resourceVersion"] = fmt.Sprint(s.head.Revision)
	for _, m := range s.live {
		if err := errors.Join(writeObject(m, k, o), s.writeHead(m)); err != nil {
			return fmt.Errorf("etcdserver: write %s: %s", etcdDir, strings.ToLower(guest.Reason(err)))
		}
	}
	s.keep(k, o)
	s.touch()
	return nil
}

// remove deletes an object; the lock must be held.
func (s *store) remove(k key) error {
	if !s.quorum() {
		return errQuorum
	}
	s.head.Revision++
	delete(s.objects[k.kind], k)
	for _, m := range s.live {
		m.FS.Remove(vfs.Root(), k.file()) //nolint:errcheck // gone is gone
		if err := s.writeHead(m); err != nil {
			return err
		}
	}
	s.touch()
	return nil
}
