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

func groupadd(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "g,gid: r,system f,force quiet", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) == 0 {
		return p.Fail(usage, "missing operand")
	}
	if p.Cred.UID != 0 {
		return p.Fail(10, "Permission denied.")
	}
	return addGroup(p, o.Args[0], o.Value("g"), o.Has("r"), o.Has("f"))
}

func addGroup(p *guest.Process, name, gid string, system, force bool) int {
	m := p.Machine()
	if _, ok := m.FindGroup(name); ok {
		if force {
			return 0
		}
		return p.Fail(9, "group '%s' already exists", name)
	}
	if gid == "" {
		gid = strconv.Itoa(freeID(m, system))
	}
	if err := edit(p, "/etc/group", func(l []string) []string { return append(l, name+":x:"+gid+":") }); err != nil {
		return p.Fail(10, "cannot open /etc/group: %s", guest.Reason(err))
	}
	return 0
}

func freeID(m *guest.Machine, system bool) int {
	used := map[int]bool{}
	for _, u := range m.Users() {
		used[int(u.UID)] = true
	}
	for _, g := range m.Groups() {
		used[int(g.GID)] = true
	}
	if system {
		for n := 999; ; n-- {
			if !used[n] {
				return n
			}
		}
	}
	for n := 1001; ; n++ {
		if !used[n] {
			return n
		}
	}
}

func useradd(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "m,create-home M,no-create-home r,system s,shell: d,home-dir,home: g,gid: G,groups: u,uid: c,comment,gecos: U,user-group N,no-user-group "+
		"group disabled-password disabled-login quiet ingroup: k,skel: b,base-dir: e: p: no-create-home-dir allow-bad-names", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) == 0 {
		return p.Fail(usage, "missing operand")
	}
	if p.Cred.UID != 0 {
		return p.Fail(1, "Permission denied.")
	}
	m := p.Machine()
	name := o.Args[0]
	if p.Exe == "adduser" && len(o.Args) == 2 {
		return addToGroups(p, name, []string{o.Args[1]})
	}
	if _, ok := m.FindUser(name); ok {
		if p.Exe == "adduser" && o.Has("r") {
			return 0
		}
		return p.Fail(9, "user '%s' already exists", name)
	}
	uid := o.Or("u", strconv.Itoa(freeID(m, o.Has("r"))))
	gid := uid
	switch group := o.Value("g") + o.Value("ingroup"); {
	case group != "":
		g, ok := m.FindGroup(group)
		if !ok {
			return p.Fail(6, "group '%s' does not exist", group)
		}
		gid = strconv.Itoa(int(g.GID))
	case p.Exe == "adduser" && o.Has("r") && !o.Has("group"):
		gid = "65534"
	default:
		if _, exists := m.FindGroup(name); exists {
			return p.Fail(9, "group %s exists - if you want to add this user to that group, use -g.", name)
		}
		if code := addGroup(p, name, uid, false, true); code != 0 {
			return code
		}
	}
	home := o.Or("d", "/home/"+name)
	sh := o.Or("s", "/bin/sh")
	line := strings.Join([]string{name, "x", uid, gid, o.Value("c"), home, sh}, ":")
	if err := edit(p, "/etc/passwd", func(l []string) []string { return append(l, line) }); err != nil {
		return p.Fail(1, "cannot open /etc/passwd: %s", guest.Reason(err))
	}
	if err := edit(p, "/etc/shadow", func(l []string) []string { return append(l, name+":!:20000:0:99999:7:::") }); err != nil {
		return p.Fail(1, "cannot open /etc/shadow: %s", guest.Reason(err))
	}
	if (o.Has("m") || p.Exe == "adduser") && !o.Has("M") && !o.Has("no-create-home") {
		files, cred := p.Files()
		if err := files.MkdirAll(cred, home, 0o755); err != nil {
			return p.Fail(12, "cannot create directory %s", home)
		}
		files.Chown(cred, home, number(uid), number(gid), true)
	}
	if o.Has("G") {
		return addToGroups(p, name, strings.Split(o.Value("G"), ","))
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
	o, ok := option.Parse(p, "a,append G,groups: s,shell: d,home: L,lock U,unlock m,move-home", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) == 0 {
		return p.Fail(usage, "missing operand")
	}
	if p.Cred.UID != 0 {
		return p.Fail(1, "Permission denied.")
	}
	name := o.Args[0]
	if _, ok := p.Machine().FindUser(name); !ok {
		return p.Fail(6, "user '%s' does not exist", name)
	}
	if o.Has("G") {
		if !o.Has("a") {
			return p.Fail(usage, "the simulator's model has -G only with -a")
		}
		if code := addToGroups(p, name, strings.Split(o.Value("G"), ",")); code != 0 {
			return code
		}
	}
	err := edit(p, "/etc/passwd", func(l []string) []string {
		for i, line := range l {
			f := strings.Split(line, ":")
			if len(f) < 7 || f[0] != name {
				continue
			}
			f[5], f[6] = o.Or("d", f[5]), o.Or("s", f[6])
			l[i] = strings.Join(f, ":")
		}
		return l
	})
	if err != nil {
		return p.Fail(1, "cannot open /etc/passwd: %s", guest.Reason(err))
	}
	return 0
}

func userdel(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "r,remove f,force", option.GNU)
	if !ok {
		return usage
	}
	for _, name := range o.Args {
		u, found := p.Machine().FindUser(name)
		if !found {
			return p.Fail(6, "user '%s' does not exist", name)
		}
		for _, file := range []string{"/etc/passwd", "/etc/shadow", "/etc/group"} {
			edit(p, file, func(l []string) []string {
				var kept []string
				for _, line := range l {
					if !strings.HasPrefix(line, name+":") {
						kept = append(kept, line)
					}
				}
				return kept
			})
		}
		if o.Has("r") {
			p.FS().RemoveAll(p.Cred, u.Home)
		}
	}
	return 0
}

func gpasswd(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "a,add: d,delete:", option.GNU)
	if !ok {
		return usage
	}
	if o.Has("a") && len(o.Args) == 1 {
		return addToGroups(p, o.Value("a"), o.Args)
	}
	return p.Fail(usage, "the simulator's model has only -a USER GROUP")
}

func chpasswd(_ context.Context, p *guest.Process) int {
	all, code := gather(p, nil)
	for _, line := range all {
		user, _, _ := strings.Cut(line, ":")
		if _, ok := p.Machine().FindUser(user); !ok {
			return p.Fail(1, "line 1: user '%s' does not exist", user)
		}
	}
	return code
}
