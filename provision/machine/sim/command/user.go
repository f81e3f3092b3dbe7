package command

import (
	"context"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// edit changes the lines of an account file.
func edit(p *guest.Process, file string, change func(lines []string) []string) error {
	text, err := p.FS().ReadFile(p.Cred, file)
	if err != nil {
		return err
	}
	list := change(strings.Split(strings.TrimSuffix(text, "\n"), "\n"))
	return p.FS().WriteFile(p.Cred, file, strings.Join(list, "\n")+"\n", 0o644)
}

// freeID is the highest number of the system's range that no account or group has.
func freeID(m *guest.Machine, system bool) int {
	used := map[int]bool{}
	for _, u := range m.Users() {
		used[int(u.UID)] = true
	}
	for _, g := range m.Groups() {
		used[int(g.GID)] = true
	}
	n, step := 1001, 1
	if system {
		n, step = 999, -1
	}
	for used[n] {
		n += step
	}
	return n
}

func useradd(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "m,create-home M,no-create-home r,system s,shell: d,home-dir,home: U,user-group", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) == 0 {
		return p.Fail(usage, "missing operand")
	}
	if p.Cred.UID != 0 {
		return p.Fail(1, "Permission denied.")
	}
	m, name := p.Machine(), o.Args[0]
	if _, ok := m.FindUser(name); ok {
		return p.Fail(9, "user '%s' already exists", name)
	}
	if _, exists := m.FindGroup(name); exists {
		return p.Fail(9, "group %s exists - if you want to add this user to that group, use -g.", name)
	}
	id, home := strconv.Itoa(freeID(m, o.Has("r"))), o.Or("d", "/home/"+name)
	for _, entry := range []struct{ file, line string }{
		{"/etc/group", name + ":x:" + id + ":"},
		{"/etc/passwd", strings.Join([]string{name, "x", id, id, "", home, o.Or("s", "/bin/sh")}, ":")},
		{"/etc/shadow", name + ":!:20000:0:99999:7:::"},
	} {
		if err := edit(p, entry.file, func(l []string) []string { return append(l, entry.line) }); err != nil {
			return p.Fail(1, "cannot open %s: %s", entry.file, guest.Reason(err))
		}
	}
	if o.Has("m") && !o.Has("M") {
		files, cred := p.Files()
		if err := files.MkdirAll(cred, home, 0o755); err != nil {
			return p.Fail(12, "cannot create directory %s", home)
		}
		files.Chown(cred, home, number(id), number(id), true) //nolint:errcheck // just made
	}
	return 0
}

func addToGroups(p *guest.Process, user string, names []string) int {
	for _, name := range names {
		if _, ok := p.Machine().FindGroup(name); !ok {
			return p.Fail(6, "group '%s' does not exist", name)
		}
		err := edit(p, "/etc/group", func(l []string) []string {
			for i, line := range l {
				f := strings.Split(line, ":")
				if len(f) < 4 || f[0] != name {
					continue
				}
				members := strings.FieldsFunc(f[3], func(r rune) bool { return r == ',' })
				for _, m := range members {
					if m == user {
						return l
					}
				}
				f[3] = strings.Join(append(members, user), ",")
				l[i] = strings.Join(f, ":")
			}
			return l
		})
		if err != nil {
			return p.Fail(10, "cannot open /etc/group: %s", guest.Reason(err))
		}
	}
	return 0
}

func usermod(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "a,append G,groups:", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) == 0 || !o.Has("a") || !o.Has("G") {
		return p.Fail(usage, "the simulator's model has only: usermod --append --groups GROUPS USER")
	}
	if p.Cred.UID != 0 {
		return p.Fail(1, "Permission denied.")
	}
	if _, ok := p.Machine().FindUser(o.Args[0]); !ok {
		return p.Fail(6, "user '%s' does not exist", o.Args[0])
	}
	return addToGroups(p, o.Args[0], strings.Split(o.Value("G"), ","))
}
