package network

import (
	"context"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func lsbRelease(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "c,codename s,short i,id r,release d,description a,all", option.GNU)
	if !ok {
		return 1
	}
	text, _ := p.FS().ReadFile(p.Cred, "/etc/os-release")
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		fields[k] = strings.Trim(v, `"`)
	}
	for _, f := range []struct{ flag, label, value string }{
		{"i", "Distributor ID", fields["NAME"]}, {"d", "Description", fields["PRETTY_NAME"]}, {"r", "Release", fields["VERSION_ID"]}, {"c", "Codename", fields["VERSION_CODENAME"]},
	} {
		if !o.Has(f.flag) && !o.Has("a") {
			continue
		}
		if o.Has("s") {
			p.Print(f.value + "\n")
		} else {
			p.Printf("%s:\t%s\n", f.label, f.value)
		}
	}
	return 0
}
