package command

import (
	"context"
	"fmt"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func id(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "u,user g,group G,groups n,name", option.GNU)
	if !ok {
		return 1
	}
	m := p.Machine()
	cred := p.Cred
	if len(o.Args) > 0 {
		u, ok := m.FindUser(o.Args[0])
		if !ok {
			return p.Fail(1, "‘%s’: no such user", o.Args[0])
		}
		cred = m.CredOf(u)
	}
	user := func(n uint32) string {
		if o.Has("n") {
			return guest.UserName(p, n)
		}
		return fmt.Sprint(n)
	}
	group := func(n uint32) string {
		if o.Has("n") {
			return guest.GroupName(p, n)
		}
		return fmt.Sprint(n)
	}
	all := []uint32{cred.GID}
	for _, g := range cred.Groups {
		if g != cred.GID {
			all = append(all, g)
		}
	}
	switch {
	case o.Has("u"):
		p.Print(user(cred.UID) + "\n")
	case o.Has("g"):
		p.Print(group(cred.GID) + "\n")
	case o.Has("G"):
		var names []string
		for _, g := range all {
			names = append(names, group(g))
		}
		p.Print(strings.Join(names, " ") + "\n")
	default:
		var names []string
		for _, g := range all {
			names = append(names, fmt.Sprintf("%d(%s)", g, guest.GroupName(p, g)))
		}
		p.Printf("uid=%d(%s) gid=%d(%s) groups=%s\n", cred.UID, guest.UserName(p, cred.UID), cred.GID, guest.GroupName(p, cred.GID), strings.Join(names, ","))
	}
	return 0
}

func getent(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "s,service: i,no-idn", option.GNU)
	if !ok {
		return 1
	}
	if len(o.Args) == 0 {
		return p.Fail(1, "wrong number of arguments")
	}
	db, keys := o.Args[0], o.Args[1:]
	file := map[string]string{"passwd": "/etc/passwd", "group": "/etc/group", "shadow": "/etc/shadow"}[db]
	if file != "" {
		text, err := p.FS().ReadFile(p.Cred, file)
		if err != nil {
			return 2
		}
		code := 0
		for _, key := range keys {
			found := false
			for line := range strings.Lines(text) {
				f := strings.Split(strings.TrimSpace(line), ":")
				if len(f) > 2 && (f[0] == key || f[2] == key) {
					p.Print(line)
					found = true
				}
			}
			if !found {
				code = 2
			}
		}
		if len(keys) == 0 {
			p.Print(text)
		}
		return code
	}
	switch db {
	case "hosts", "ahosts", "ahostsv4":
		code := 0
		for _, key := range keys {
			address, ok := p.Machine().Resolve(ctx, key)
			if !ok {
				code = 2
				continue
			}
			if db == "hosts" {
				p.Printf("%-15s %s\n", address, key)
				continue
			}
			for _, kind := range []string{"STREAM", "DGRAM", "RAW"} {
				p.Printf("%-15s %-6s %s\n", address, kind, key)
			}
		}
		return code
	}
	return p.Fail(1, "Unknown database: %s (or one the simulator does not have)", db)
}
