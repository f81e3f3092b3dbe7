package cluster

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// member is an etcd that runs on a machine of its own, configured by its environment
// (https://etcd.io/docs/v3.6/op-guide/configuration/).
type member struct {
	p       *guest.Process
	name    string
	store   *store
	clients *x509.Certificate // the authority of those who may ask; nil: anybody
}

// etcdProgram is the etcd of machines of its own: that of control planes is a part of their API server's model.
func etcdProgram(ctx context.Context, p *guest.Process) int {
	if len(p.Args) > 1 {
		if p.Args[1] == "--version" {
			p.Printf("etcd Version: %s\nGit SHA: simulated\nGo Version: go1.24\nGo OS/Arch: linux/amd64\n", p.Version)
			return 0
		}
		return p.Fail(2, "flag provided but not defined: %s (the simulator's model of etcd is configured by its environment alone)", p.Args[1])
	}
	e := &member{p: p, name: p.Getenv("ETCD_NAME")}
	if err := e.start(ctx); err != nil {
		p.Errorf("{\"level\":\"fatal\",\"msg\":\"discovery failed\",\"error\":%q}", err)
		return 1
	}
	p.Ready()
	<-ctx.Done()
	e.store.leave(e.name, p.Machine())
	return 0
}

// start opens the member's data, or makes it, and listens.
func (e *member) start(ctx context.Context) error {
	p, env := e.p, e.p.Getenv
	if e.name == "" || env("ETCD_DATA_DIR") != etcdDir {
		return fmt.Errorf("the simulator's model of etcd needs ETCD_NAME and ETCD_DATA_DIR=%s", etcdDir)
	}
	for _, name := range []string{"ETCD_CERT_FILE", "ETCD_KEY_FILE", "ETCD_TRUSTED_CA_FILE", "ETCD_PEER_CERT_FILE", "ETCD_PEER_KEY_FILE", "ETCD_PEER_TRUSTED_CA_FILE"} {
		if env(name) == "" {
			continue
		}
		text, err := p.FS().ReadFile(p.Cred, env(name))
		if err != nil {
			return fmt.Errorf("open %s: %s", env(name), strings.ToLower(guest.Reason(err)))
		}
		if name == "ETCD_TRUSTED_CA_FILE" && env("ETCD_CLIENT_CERT_AUTH") == "true" {
			if e.clients, err = readCert(text); err != nil {
				return err
			}
		}
	}
	if err := e.open(ctx); err != nil {
		return err
	}
	for _, list := range []string{"ETCD_LISTEN_CLIENT_URLS", "ETCD_LISTEN_PEER_URLS", "ETCD_LISTEN_METRICS_URLS"} {
		for _, n := range listened(env(list)) {
			stop, err := p.Kernel.Listen(n, e)
			if err != nil {
				e.store.leave(e.name, p.Machine())
				return fmt.Errorf("listen tcp :%d: bind: address already in use", n)
			}
			go func() { <-ctx.Done(); stop() }()
		}
	}
	return nil
}

// listened are the ports of a list of addresses, each once.
func listened(list string) []int {
	var found []int
	for text := range strings.SplitSeq(list, ",") {
		u, err := url.Parse(text)
		if err != nil {
			continue
		}
		if n, err := strconv.Atoi(u.Port()); err == nil && !slices.Contains(found, n) {
			found = append(found, n)
		}
	}
	return found
}

// open reads the member's disk; one without data begins a cluster with those named, or comes to one that is there.
func (e *member) open(ctx context.Context) error {
	m, env := e.p.Machine(), e.p.Getenv
	var err error
	if _, missing := m.FS.Stat(vfs.Root(), header); missing == nil {
		e.store, err = openStore(m, e.name)
		return err
	}
	var names, peers []string
	all := map[string]string{}
	for entry := range strings.SplitSeq(env("ETCD_INITIAL_CLUSTER"), ",") {
		name, peer, _ := strings.Cut(entry, "=")
		names, peers = append(names, name), append(peers, peer)
		all[name] = peer
	}
	own := slices.Index(names, e.name)
	if own < 0 {
		return fmt.Errorf("couldn't find local name %q in the initial cluster configuration", e.name)
	}
	if env("ETCD_INITIAL_CLUSTER_STATE") == "existing" {
		for i, peer := range peers {
			if i == own {
				continue
			}
			if s, err := askStore(ctx, m, peer); err == nil {
				return e.enter(s)
			}
		}
		return errors.New("cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs")
	}
	sum := sha256.Sum256([]byte(env("ETCD_INITIAL_CLUSTER_TOKEN") + " " + env("ETCD_INITIAL_CLUSTER")))
	id := hex.EncodeToString(sum[:8])
	l := labOf(m)
	l.mu.Lock()
	s := l.stores[id]
	l.mu.Unlock()
	if s != nil && s.hasStarted(e.name) {
		return fmt.Errorf("member %s has already been bootstrapped", e.name)
	}
	if err := newStore(etcdHeader{ID: id, Members: names, Peers: all, External: true}).copyTo(m); err != nil {
		return err
	}
	if e.store, err = openStore(m, e.name); err == nil {
		err = e.store.started(e.name)
	}
	return err
}

// enter copies the data of a cluster that this member has been added to.
func (e *member) enter(s *store) error {
	s.mu.Lock()
	if !slices.Contains(s.head.Members, e.name) {
		s.mu.Unlock()
		return errors.New("error validating peerURLs: member count is unequal")
	}
	err := s.copyTo(e.p.Machine())
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if e.store, err = openStore(e.p.Machine(), e.name); err == nil {
		err = e.store.started(e.name)
	}
	return err
}

// hasStarted reports whether the member has ever been part of the cluster.
func (s *store) hasStarted(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.head.Started, name)
}

// started notes that the member has been part of the cluster.
func (s *store) started(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.head.Started, name) {
		return nil
	}
	s.head.Started = append(slices.Clone(s.head.Started), name)
	s.head.Revision++
	var err error
	for _, m := range s.live {
		err = errors.Join(err, s.writeHead(m))
	}
	return err
}

// askStore reaches the cluster that an etcd at an address belongs to.
func askStore(ctx context.Context, m *guest.Machine, address string) (*store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(u.Port())
	if err != nil {
		return nil, fmt.Errorf("%s: no port", address)
	}
	h, err := m.Net.Dial(ctx, m, u.Hostname(), n)
	if err != nil {
		return nil, fmt.Errorf("dial tcp %s: %w", u.Host, err)
	}
	if s, ok := h.Serve(ctx, guest.Request{From: m, Host: u.Host, Message: hello{}}).Reply.(*store); ok {
		return s, nil
	}
	return nil, fmt.Errorf("dial tcp %s: this is no etcd", u.Host)
}

// Admit refuses clients without a certificate of etcd's authority.
func (e *member) Admit(cert string) error {
	if e.clients == nil {
		return nil
	}
	c, err := readCert(cert)
	if err != nil {
		return errors.New("tlsv13 alert certificate required")
	}
	return verify(c, e.clients, e.p.Kernel.Clock())
}

// Serve answers other models, and what curl asks.
func (e *member) Serve(_ context.Context, r guest.Request) guest.Response {
	if _, ok := r.Message.(hello); ok {
		return guest.Response{Code: 200, Reply: e.store}
	}
	s := e.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Path == "/version" {
		return guest.Response{Code: 200, Body: fmt.Sprintf(`{"etcdserver":%q,"etcdcluster":%q}`, e.p.Version, e.p.Version)}
	}
	if !s.quorum() {
		return guest.Response{Code: 503, Body: `{"health":"false","reason":"RAFT NO LEADER"}`}
	}
	switch r.Path {
	case "/health", "/readyz":
		return guest.Response{Code: 200, Body: `{"health":"true","reason":""}`}
	case "/v3/kv/range":
		count := ""
		if n := s.count(); n > 0 {
			count = fmt.Sprintf(`,"count":"%d"`, n)
		}
		return guest.Response{Code: 200, Body: `{"header":{"revision":"` + fmt.Sprint(s.head.Revision) + `"}` + count + "}"}
	case "/v3/kv/deleterange":
		if err := s.clear(); err != nil {
			return guest.Response{Code: 500, Body: err.Error()}
		}
		return guest.Response{Code: 200, Body: `{"header":{}}`}
	}
	return guest.Response{Code: 404, Body: "404 page not found\n"}
}

// count is how many objects there are; the lock must be held.
func (s *store) count() int {
	n := 0
	for _, objects := range s.objects {
		n += len(objects)
	}
	return n
}

// clear removes every object; the lock must be held.
func (s *store) clear() error {
	s.objects = map[string]map[key]object{}
	s.head.Revision++
	var err error
	for _, m := range s.live {
		err = errors.Join(err, s.copyTo(m))
	}
	s.touch()
	return err
}

// externalEtcd is etcd.external of a ClusterConfiguration.
type externalEtcd struct {
	Endpoints []string `json:"endpoints"`
	CAFile    string   `json:"caFile"`
	CertFile  string   `json:"certFile"`
	KeyFile   string   `json:"keyFile"`
}

// external is where the cluster's data is, unless it is on the control planes.
func (c clusterConfig) external() (externalEtcd, bool) {
	var e externalEtcd
	text, err := json.Marshal(at(c.Etcd, "external"))
	if err != nil || json.Unmarshal(text, &e) != nil {
		return e, false
	}
	return e, len(e.Endpoints) > 0
}

// files are those that further control planes get from the first, by their names in the secret.
func (e externalEtcd) files() map[string]string {
	return map[string]string{"external-etcd-ca.crt": e.CAFile, "external-etcd.crt": e.CertFile, "external-etcd.key": e.KeyFile}
}

// reach finds the cluster by the first member that answers, as a client with these files.
func (e externalEtcd) reach(ctx context.Context, m *guest.Machine) (*store, error) {
	read := func(file string) (*x509.Certificate, error) {
		text, err := m.FS.ReadFile(vfs.Root(), file)
		if err != nil {
			return nil, fmt.Errorf("open %s: %s", file, strings.ToLower(guest.Reason(err)))
		}
		return readCert(text)
	}
	ca, err1 := read(e.CAFile)
	cert, err2 := read(e.CertFile)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if err := verify(cert, ca, m.Time()); err != nil {
		return nil, err
	}
	err := errors.New("no endpoints")
	for _, endpoint := range e.Endpoints {
		var s *store
		if s, err = askStore(ctx, m, endpoint); err == nil {
			return s, nil
		}
	}
	return nil, err
}
