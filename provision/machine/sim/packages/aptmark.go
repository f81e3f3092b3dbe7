package packages

import (
	"context"
	"maps"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func aptMark(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "q,quiet? f,file: o,option:", option.GNU)
	if !ok {
		return 100
	}
	if len(o.Args) == 0 {
		p.Errorf("E: Invalid operation")
		return 100
	}
	verb, names := o.Args[0], o.Args[1:]
	db := readDatabase(p.Machine())
	if strings.HasPrefix(verb, "show") {
		for _, n := range slices.Sorted(maps.Keys(db.records)) {
			r := db.records[n]
			if verb == "showhold" && r.selection == "hold" || verb == "showauto" && r.auto || verb == "showmanual" && !r.auto {
				p.Print(n + "\n")
			}
		}
		return 0
	}
	if p.Cred.UID != 0 {
		p.Errorf("E: Could not create temporary file for /var/lib/apt/extended_states - mkstemp (13: Permission denied)")
		return 100
	}
	for _, n := range names {
		r := db.records[n]
		if r == nil || !db.present(n) {
			p.Errorf("E: Unable to locate package %s\nE: No packages found", n)
			return 100
		}
		switch verb {
		case "hold":
			if r.selection == "hold" {
				p.Printf("%s was already set on hold.\n", n)
			} else {
				p.Printf("%s set on hold.\n", n)
			}
			r.selection = "hold"
		default:
			p.Errorf("E: Invalid operation %s", verb)
			return 100
		}
	}
	if err := db.write(p.FS()); err != nil {
		p.Errorf("E: %s", guest.Reason(err))
		return 100
	}
	return 0
}
