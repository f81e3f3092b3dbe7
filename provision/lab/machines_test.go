package lab

import (
	"fmt"
	"strings"
	"testing"
)

// listed is a lab's machines as "name=address" in one line.
func listed(l Lab) string {
	var list []string
	for _, m := range Machines(l) {
		address := "-"
		if m.Address.IsValid() {
			address = m.Address.String()
		}
		list = append(list, m.Name+"="+strings.TrimPrefix(address, "192.168.56."))
	}
	return strings.Join(list, " ")
}

func TestMachines(t *testing.T) {
	for _, test := range []struct {
		name    string
		network string
		nodes   []Node
		want    string
	}{
		{"in order from .10", "", []Node{{Name: "cp"}, {Name: "w", Count: 3}, {Name: "ops"}}, "cp=10 w1=11 w2=12 w3=13 ops=14"},
		{"a count of one has a number", "", []Node{{Name: "w", Count: 1}}, "w1=10"},
		{"given ones are stepped over", "", []Node{{Name: "a"}, {Name: "b", Address: "192.168.56.11"}, {Name: "c"}}, "a=10 b=11 c=12"},
		{"also where they come later", "", []Node{{Name: "a", Count: 2}, {Name: "b", Address: "192.168.56.10", Count: 2}}, "a1=12 a2=13 b1=10 b2=11"},
		{"given ones below .10", "", []Node{{Name: "a", Address: "192.168.56.5"}, {Name: "b"}}, "a=5 b=10"},
		{"a full network", "192.168.56.0/28", []Node{{Name: "a", Count: 6}}, "a1=10 a2=11 a3=12 a4=13 a5=14 a6=-"},
		{"a network too small to start", "192.168.56.0/29", []Node{{Name: "a"}}, "a=-"},
		{"a wide network", "10.20.0.0/16", []Node{{Name: "a", Address: "10.20.0.255"}, {Name: "b"}}, "a=10.20.0.255 b=10.20.0.10"},
		{"no network", "nonsense", []Node{{Name: "a"}}, "a=-"},
		{"the end of all addresses", "255.255.255.0/24", []Node{{Name: "a", Address: "255.255.255.255", Count: 2}}, "a1=255.255.255.255 a2=255.255.255.10"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := Lab{Network: test.network, Nodes: test.nodes}
			Default(&l)
			if got := listed(l); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestMachinesAreCopies(t *testing.T) {
	l := Lab{Provider: ProviderStatic, Nodes: []Node{{Name: "a", Count: 2, Address: "192.168.56.20", Roles: []string{RoleDocker}, SSH: &SSH{Port: 2222}}}}
	Default(&l)
	machines := Machines(l)
	machines[0].Roles[0] = "changed"
	machines[0].SSH.Port = 1
	if machines[1].Roles[0] != RoleDocker || machines[1].SSH.Port != 2222 || l.Nodes[0].Roles[0] != RoleDocker || l.Nodes[0].SSH.Port != 2222 {
		t.Error("a change of one machine reaches another, or the lab")
	}
	if machines[1].Entry != 0 || !machines[1].HasRole(RoleDocker) || machines[1].HasRole(RoleWorker) {
		t.Errorf("got %+v", machines[1])
	}
}

func TestMachinesOfStatic(t *testing.T) {
	l := Lab{Provider: ProviderStatic, Network: "10.20.0.0/24", Nodes: []Node{
		{Name: "a", Address: "10.20.0.31"},
		{Name: "b", SSH: &SSH{Host: "10.20.0.5"}},
		{Name: "c", SSH: &SSH{Host: "c.school.example"}},
		{Name: "d", SSH: &SSH{Host: "127.0.0.1"}},
	}}
	Default(&l)
	if got, want := listed(l), "a=10.20.0.31 b=10.20.0.5 c=- d=-"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMachinesOfALargeLab(t *testing.T) {
	l := Lab{Network: "10.0.0.0/16", Nodes: []Node{{Name: "n", Count: 1 << 40}}}
	Default(&l)
	machines := Machines(l)
	if len(machines) != maxMachines {
		t.Fatalf("got %d machines", len(machines))
	}
	seen := map[string]bool{}
	for _, m := range machines {
		seen[fmt.Sprint(m.Name, m.Address)] = true
	}
	if len(seen) != maxMachines || !machines[maxMachines-1].Address.IsValid() {
		t.Errorf("%d of %d machines have a name and an address of their own", len(seen), maxMachines)
	}
}
