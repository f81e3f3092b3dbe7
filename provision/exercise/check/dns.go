package check

import (
	_ "embed"
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"podium/provision/remote"
	"podium/provision/wording"
)

//go:embed dns.go
var dnsSource string

// DNS asks for the addresses of a name.
type DNS struct {
	Name    string `yaml:"name" jsonschema:"required"` // such as web.default.svc.cluster.local
	Server  string `yaml:"server,omitempty"`           // address of a DNS server, or cluster; without it, as programs of the node find names
	Exists  *bool  `yaml:"exists,omitempty"`           // false: it may have no address
	Address *Match `yaml:"address,omitempty"`          // its IPv4 addresses, sorted, with blanks between them
	Count   Value  `yaml:"count,omitempty"`            // how many addresses it has
}

// Faults checks the fields.
func (d *DNS) Faults() []Fault {
	all := slices.Concat(missing("name", d.Name, "web.default.svc.cluster.local"), whole("count", d.Count, 0, 100), d.Address.faults("address"))
	if _, err := netip.ParseAddr(d.Server); d.Server != "" && d.Server != "cluster" && err != nil {
		all = append(all, Fault{"server", d.Server, "is not an address: write one, or cluster"})
	}
	if _, err := d.question(); d.Name != "" && err != nil {
		all = append(all, Fault{"name", d.Name, "is not a name of the DNS"})
	}
	return all
}

// question is the packet that asks for the name's IPv4 addresses.
func (d *DNS) question() ([]byte, error) {
	name, err := dnsmessage.NewName(strings.TrimSuffix(d.Name, ".") + ".")
	if err != nil {
		return nil, err
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 0x706f, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	return m.Pack()
}

// Probe asks the system, or sends one packet to a server, for which a node needs no tool.
func (d *DNS) Probe() string {
	if d.Server == "" {
		return "getent ahostsv4 -- " + remote.Quote(d.Name) + " | cut -d ' ' -f 1 | sort -u\n[[ ${PIPESTATUS[0]} == [02] ]]"
	}
	packet, err := d.question()
	if err != nil {
		return "exit 3"
	}
	find := "ip=" + remote.Quote(d.Server)
	if d.Server == "cluster" {
		find = kubeAccess + "\nip=$(kubectl get service -n kube-system kube-dns -o 'jsonpath={.spec.clusterIP}') || exit"
	}
	return find + "\nexec 4<>\"/dev/udp/$ip/53\" || exit 4\nbase64 -d <<<" + base64.StdEncoding.EncodeToString(packet) +
		" >&4\ntimeout 3 dd bs=4096 count=1 status=none <&4 | base64 -w0"
}

// Judge compares.
func (d *DNS) Judge(facts Facts) Verdict {
	if v, bad := unable(facts); bad {
		return v
	}
	addresses := strings.Fields(facts.text())
	if d.Server != "" {
		answer, err := base64.StdEncoding.DecodeString(facts.text())
		if err != nil {
			return broken("strange-answer", facts.text())
		}
		if len(answer) == 0 {
			return fails("dns-silent", d.Server, d.Name)
		}
		if addresses, err = addressesIn(answer); err != nil {
			return broken("strange-answer", err)
		}
	}
	slices.Sort(addresses)
	all := strings.Join(addresses, " ")
	switch {
	case len(addresses) == 0 && d.Count == "0", len(addresses) == 0 && !wants(d.Exists):
		return holds()
	case len(addresses) == 0:
		return fails("dns-unknown", d.Name)
	case !wants(d.Exists):
		return fails("dns-there", d.Name, all)
	case d.Count != "" && len(addresses) != d.Count.number():
		return fails("dns-count", d.Name, len(addresses), all, d.Count)
	}
	if v, ok := d.Address.judge(wording.Say("addresses-of", d.Name), all); !ok {
		return v
	}
	return holds()
}

// addressesIn reads an answer of a DNS server.
func addressesIn(packet []byte) ([]string, error) {
	var p dnsmessage.Parser
	if _, err := p.Start(packet); err != nil {
		return nil, err
	}
	if err := p.SkipAllQuestions(); err != nil {
		return nil, err
	}
	var all []string
	for {
		header, err := p.AnswerHeader()
		if err == dnsmessage.ErrSectionDone {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Type != dnsmessage.TypeA {
			if err := p.SkipAnswer(); err != nil {
				return nil, err
			}
			continue
		}
		a, err := p.AResource()
		if err != nil {
			return nil, err
		}
		all = append(all, netip.AddrFrom4(a.A).String())
	}
}
