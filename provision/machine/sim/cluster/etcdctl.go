package cluster

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// etcdctl asks etcd on machines of its own: members and health, and which keys there are.
func etcdctl(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "endpoints: dial-timeout: command-timeout: cert: w,write-out: cluster peer-urls: prefix keys-only", option.GNU)
	if !ok {
		return 1
	}
	args := o.Args
	endpoints := strings.Split(o.Or("endpoints", p.Getenv("ETCDCTL_ENDPOINTS")), ",")
	if endpoints[0] == "" {
		endpoints = []string{"http://127.0.0.1:2379"}
	}
	file := o.Or("cert", p.Getenv("ETCDCTL_CERT"))
	cert := ""
	if file != "" {
		var err error
		if cert, err = p.FS().ReadFile(p.Cred, file); err != nil {
			return p.Fail(128, "Error: open %s: %s", file, strings.ToLower(guest.Reason(err)))
		}
	}
	e := externalEtcd{Endpoints: endpoints}
	s, err := e.first(ctx, p.Machine(), cert)
	if err != nil {
		return p.Fail(1, "Error: context deadline exceeded (%v)", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	words := strings.Join(args[:min(2, len(args))], " ")
	if !s.quorum() && words != "endpoint status" {
		return p.Fail(1, "Error: context deadline exceeded")
	}
	switch {
	case words == "member list":
		for _, name := range s.head.Members {
			p.Print(s.memberLine(name))
		}
	case words == "member add" && len(args) == 3 && o.Has("peer-urls"):
		if slices.Contains(s.head.Members, args[2]) {
			return p.Fail(1, "Error: etcdserver: Peer URLs already exists")
		}
		s.head.Members = append(slices.Clone(s.head.Members), args[2])
		s.head.Added = append(slices.Clone(s.head.Added), args[2])
		s.head.Peers = maps.Clone(s.head.Peers)
		s.head.Peers[args[2]] = o.Value("peer-urls")
		p.Printf("Member %s added to cluster (simulated)\n", hexID(args[2]))
	case words == "member remove" && len(args) == 3:
		i := slices.IndexFunc(s.head.Members, func(name string) bool { return hexID(name) == args[2] })
		if i < 0 {
			return p.Fail(1, "Error: etcdserver: member not found")
		}
		name := s.head.Members[i]
		s.head.Members = slices.Delete(slices.Clone(s.head.Members), i, i+1)
		gone := func(n string) bool { return n == name }
		s.head.Started = slices.DeleteFunc(slices.Clone(s.head.Started), gone)
		s.head.Added = slices.DeleteFunc(slices.Clone(s.head.Added), gone)
		p.Printf("Member %s removed from cluster (simulated)\n", args[2])
	case words == "endpoint health" || words == "endpoint status":
		for _, name := range s.head.Members {
			m := s.live[name]
			if m == nil {
				p.Errorf("%s is unhealthy: failed to commit proposal: context deadline exceeded", name)
				continue
			}
			p.Printf("https://%s:2379 is healthy: successfully committed proposal: took = 1ms (simulated)\n", m.Hardware.Address)
		}
		if len(s.live) < len(s.head.Members) {
			return p.Fail(1, "Error: unhealthy cluster")
		}
		return 0
	case len(args) == 2 && args[0] == "get" && o.Has("prefix"):
		for _, objects := range s.objects {
			for k := range objects {
				if name := k.stored(); strings.HasPrefix(name, args[1]) {
					p.Print(name + "\n")
				}
			}
		}
		return 0
	case len(args) == 2 && args[0] == "del" && o.Has("prefix"):
		p.Printf("%d\n", s.count())
		if err := s.clear(); err != nil {
			return p.Fail(1, "Error: %v", err)
		}
		return 0
	default:
		return p.Fail(1, "the simulator's model of etcdctl knows member list, add and remove, endpoint health and status, get and del --prefix; not: %s", strings.Join(args, " "))
	}
	s.head.Revision++
	for _, m := range s.live {
		if err := s.writeHead(m); err != nil {
			return p.Fail(1, "Error: %v", err)
		}
	}
	return 0
}

// stored is the name under which etcd has an object.
func (k key) stored() string {
	kind := k.kind
	if kind == "nodes" {
		kind = "minions" // as they were called at first
	}
	return path.Join("/registry", kind, k.namespace, k.name)
}

// hexID is the number by which etcd knows a member.
func hexID(name string) string { return fmt.Sprintf("%x", []byte("id-"+name)) }

// memberLine is a member as etcdctl member list shows it; the lock must be held.
func (s *store) memberLine(name string) string {
	peer, client, state, shown := s.head.Peers[name], "", "started", name
	switch {
	case slices.Contains(s.head.Started, name):
		client = strings.Replace(peer, ":2380", ":2379", 1)
	case slices.Contains(s.head.Added, name): // etcd learns its name when it comes
		state, shown = "unstarted", ""
	}
	return fmt.Sprintf("%s, %s, %s, %s, %s, false\n", hexID(name), state, shown, peer, client)
}

// first finds the cluster by the first endpoint that lets a client with that certificate in.
func (e externalEtcd) first(ctx context.Context, m *guest.Machine, cert string) (*store, error) {
	var last error
	for _, endpoint := range e.Endpoints {
		s, err := askStore(ctx, m, endpoint)
		if err != nil {
			last = err
			continue
		}
		if err := admitted(ctx, m, endpoint, cert); err != nil {
			last = err
			continue
		}
		return s, nil
	}
	return nil, last
}

// admitted asks the server whether it takes the client's certificate.
func admitted(ctx context.Context, m *guest.Machine, endpoint, cert string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(u.Port())
	if err != nil {
		return err
	}
	h, err := m.Net.Dial(ctx, m, u.Hostname(), n)
	if err != nil {
		return err
	}
	if g, ok := h.(guest.Guarded); ok {
		return g.Admit(cert)
	}
	return nil
}
