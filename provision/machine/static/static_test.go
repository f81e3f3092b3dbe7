package static_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/machine/static"
	"podium/provision/remote"
)

func TestEndpoints(t *testing.T) {
	dir := t.TempDir()
	address := netip.MustParseAddr("192.0.2.7")
	for _, c := range []struct {
		name string
		m    lab.Machine
		want remote.Endpoint
		err  string
	}{
		{name: "only an address", m: lab.Machine{Address: address},
			want: remote.Endpoint{Host: "192.0.2.7", Port: 22, User: "ops"}},
		{name: "everything", m: lab.Machine{Address: address, SSH: &lab.SSH{Host: "h.example", Port: 2222, User: "me", Key: "keys/id"}},
			want: remote.Endpoint{Host: "h.example", Port: 2222, User: "me", KeyFile: lab.Lab{Dir: dir}.Path("keys/id")}},
		{name: "jump takes user and key over", m: lab.Machine{SSH: &lab.SSH{Host: "h", User: "me", Key: "k", Jump: "gate"}},
			want: remote.Endpoint{Host: "h", Port: 22, User: "me", KeyFile: lab.Lab{Dir: dir}.Path("k"),
				Jump: &remote.Endpoint{Node: "gate", Host: "gate", Port: 22, User: "me", KeyFile: lab.Lab{Dir: dir}.Path("k")}}},
		{name: "jump in full, IPv6", m: lab.Machine{SSH: &lab.SSH{Host: "h", Jump: "door@[2001:db8::1]:2022"}},
			want: remote.Endpoint{Host: "h", Port: 22, User: "ops",
				Jump: &remote.Endpoint{Node: "2001:db8::1", Host: "2001:db8::1", Port: 2022, User: "door"}}},
		{name: "no place", m: lab.Machine{}, err: "give it an address or ssh.host"},
		{name: "jump without host", m: lab.Machine{Address: address, SSH: &lab.SSH{Jump: "me@"}}, err: "[user@]host[:port]"},
		{name: "jump with bad port", m: lab.Machine{Address: address, SSH: &lab.SSH{Jump: "gate:70000"}}, err: "no number from 1 to 65535"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.m.Name, c.want.Node = "n1", "n1"
			p := static.New(static.Options{})
			err := p.Prepare(t.Context(), machine.Spec{Lab: lab.Lab{User: "ops", Dir: dir}, Machines: []lab.Machine{c.m}})
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !strings.HasPrefix(err.Error(), "n1: ") {
					t.Fatalf("got %v, want an error of n1 with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Up(t.Context(), "n1")
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestNotItsMachines(t *testing.T) {
	p := static.New(static.Options{Machines: []lab.Machine{{Name: "n1"}}})
	for what, call := range map[string]func(context.Context, string) error{
		"halt n1":                 p.Halt,
		"destroy n1":              p.Destroy,
		"snapshot n1":             func(ctx context.Context, n string) error { return p.Snapshot(ctx, n, "tag") },
		"restore n1":              func(ctx context.Context, n string) error { return p.Restore(ctx, n, "tag") },
		"delete a snapshot of n1": func(ctx context.Context, n string) error { return p.DeleteSnapshot(ctx, n, "tag") },
	} {
		err := call(t.Context(), "n1")
		if !errors.Is(err, machine.ErrNotApplicable) || !strings.Contains(err.Error(), "cannot "+what) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := p.Up(t.Context(), "n2"); !errors.Is(err, machine.ErrNotFound) {
		t.Errorf("a machine that lab.yaml does not have: got %v", err)
	}
	if err := p.Cleanup(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestStatus(t *testing.T) {
	open, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	shut, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shut.Close() // its port answers no more
	at := func(l net.Listener) *lab.SSH { return &lab.SSH{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port} }
	behind := at(open)
	behind.Jump = "gate"
	p := static.New(static.Options{Machines: []lab.Machine{
		{Name: "open", SSH: at(open)}, {Name: "shut", SSH: at(shut)}, {Name: "behind", SSH: behind}, {Name: "nowhere"},
	}})
	got, err := p.Status(t.Context())
	want := map[string]machine.State{
		"open": machine.Running, "shut": machine.Unknown, "behind": machine.Unknown, "nowhere": machine.Unknown,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: got %v", err)
	}
}
