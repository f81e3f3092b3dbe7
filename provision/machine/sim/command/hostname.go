package command

import (
	"context"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func hostname(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "s,short f,fqdn,long I,all-ip-addresses i,ip-address d,domain F,file:", option.GNU)
	if !ok {
		return 1
	}
	m := p.Machine()
	name := m.Hostname()
	switch {
	case o.Has("I"):
		p.Print("10.0.2.15 " + m.Hardware.Address + " \n")
	case o.Has("d"):
		_, domain, _ := strings.Cut(name, ".")
		p.Print(domain + "\n")
	case o.Has("s"):
		name, _, _ = strings.Cut(name, ".")
		p.Print(name + "\n")
	case len(o.Args) > 0 || o.Has("F"):
		if p.Cred.UID != 0 {
			return p.Fail(1, "you must be root to change the host name")
		}
		if o.Has("F") {
			text, err := p.FS().ReadFile(p.Cred, p.Path(o.Value("F")))
			if err != nil {
				return p.Fail(1, "%s: %s", o.Value("F"), guest.Reason(err))
			}
			name = strings.TrimSpace(text)
		} else {
			name = o.Args[0]
		}
		p.Kernel.SetHostname(name)
	default:
		p.Print(name + "\n")
	}
	return 0
}

func uname(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "a,all s,kernel-name n,nodename r,kernel-release v,kernel-version m,machine p,processor i,hardware-platform o,operating-system", option.GNU)
	if !ok {
		return 1
	}
	m := p.Machine()
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[m.Hardware.Arch]
	var out []string
	for _, part := range []struct{ key, text string }{
		{"s", "Linux"}, {"n", m.Hostname()}, {"r", m.KernelRelease()}, {"v", "#1 SMP simulated by podium"}, {"m", machine},
		{"p", machine}, {"i", machine}, {"o", "GNU/Linux"},
	} {
		if o.Has(part.key) || o.Has("a") && part.key != "p" && part.key != "i" {
			out = append(out, part.text)
		}
	}
	if out == nil {
		out = []string{"Linux"}
	}
	p.Print(strings.Join(out, " ") + "\n")
	return 0
}
