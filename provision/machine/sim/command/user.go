package command

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

func id(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "u,user g,group G,groups n,name r,real", option.GNU)
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

func whoami(_ context.Context, p *guest.Process) int {
	p.Print(guest.UserName(p, p.Cred.UID) + "\n")
	return 0
}

func groups(_ context.Context, p *guest.Process) int {
	cred := p.Cred
	if len(p.Args) > 1 {
		u, ok := p.Machine().FindUser(p.Args[1])
		if !ok {
			return p.Fail(1, "‘%s’: no such user", p.Args[1])
		}
		cred = p.Machine().CredOf(u)
	}
	names := []string{guest.GroupName(p, cred.GID)}
	for _, g := range cred.Groups {
		names = append(names, guest.GroupName(p, g))
	}
	p.Print(strings.Join(names, " ") + "\n")
	return 0
}

const securePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"

// sudo runs a command as another user. Who may do so without a password stands in /etc/sudoers.d.
func sudo(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,non-interactive E,preserve-env? H,set-home u,user: g,group: i,login s,shell S,stdin k v b,background l", option.First)
	if !ok {
		return 1
	}
	m := p.Machine()
	caller := guest.UserName(p, p.Cred.UID)
	if p.Cred.UID != 0 && !maySudo(p, caller) {
		if o.Has("n") {
			return p.Fail(1, "a password is required")
		}
		return p.Fail(1, "a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper")
	}
	u, ok := m.FindUser(strings.TrimPrefix(o.Or("u", "root"), "#"))
	if !ok {
		return p.Fail(1, "unknown user %s", o.Value("u"))
	}
	var env []string
	for _, kv := range p.Env {
		k, _, _ := strings.Cut(kv, "=")
		if o.Has("E") || k == "LANG" || k == "TERM" || strings.HasPrefix(k, "LC_") {
			env = append(env, kv)
		}
	}
	p.Env = env
	p.Setenv("PATH", securePath)
	p.Setenv("HOME", u.Home)
	p.Setenv("USER", u.Name)
	p.Setenv("LOGNAME", u.Name)
	p.Setenv("SHELL", u.Shell)
	p.Setenv("SUDO_USER", caller)
	p.Setenv("SUDO_UID", fmt.Sprint(p.Cred.UID))
	p.Setenv("SUDO_GID", fmt.Sprint(p.Cred.GID))
	umask := p.Cred.Umask
	p.Cred = m.CredOf(u)
	p.Cred.Umask = umask
	args := o.Args
	for len(args) > 0 && strings.Contains(args[0], "=") && !strings.HasPrefix(args[0], "/") {
		k, v, _ := strings.Cut(args[0], "=")
		p.Setenv(k, v)
		args = args[1:]
	}
	switch {
	case o.Has("v"), o.Has("k") && len(args) == 0:
		return 0
	case o.Has("l"):
		p.Printf("User %s may run the following commands on %s:\n    (ALL) NOPASSWD: ALL\n", caller, m.Name)
		return 0
	case o.Has("i"), o.Has("s"):
		if o.Has("i") {
			p.Dir = u.Home
		}
		sh := []string{u.Shell}
		if len(args) > 0 {
			sh = append(sh, "-c", strings.Join(args, " "))
		}
		args = sh
	case len(args) == 0:
		p.Errorf("usage: sudo -h | -K | -k | -V")
		return 1
	}
	return become(ctx, p, args)
}

func maySudo(p *guest.Process, user string) bool {
	entries, err := p.FS().ReadDir(vfs.Root(), "/etc/sudoers.d")
	if err != nil {
		return false
	}
	for _, e := range entries {
		text, _ := p.FS().ReadFile(vfs.Root(), "/etc/sudoers.d/"+e.Name())
		for line := range strings.Lines(text) {
			f := strings.Fields(line)
			if len(f) > 1 && (f[0] == user || f[0] == "ALL" || strings.HasPrefix(f[0], "%") && memberOf(p, f[0][1:])) && strings.Contains(line, "NOPASSWD:") {
				return true
			}
		}
	}
	return false
}

func memberOf(p *guest.Process, group string) bool {
	g, ok := p.Machine().FindGroup(group)
	if !ok {
		return false
	}
	for _, n := range append(p.Cred.Groups, p.Cred.GID) {
		if n == g.GID {
			return true
		}
	}
	return false
}

// su and runuser.
func su(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "l,login c,command: s,shell: u,user: m,p,preserve-environment", option.GNU)
	if !ok {
		return 1
	}
	args := o.Args
	for i, a := range args { // "su - user"
		if a == "-" {
			args = append(append([]string{}, args[:i]...), args[i+1:]...)
			break
		}
	}
	name := "root"
	cmd := []string(nil)
	switch {
	case o.Has("u"):
		name, cmd = o.Value("u"), args
	case len(args) > 0:
		name = args[0]
	}
	u, ok := p.Machine().FindUser(name)
	if !ok {
		return p.Fail(1, "user %s does not exist or the user entry does not contain all the required fields", name)
	}
	if p.Cred.UID != 0 {
		return p.Fail(1, "Authentication failure")
	}
	p.Setenv("HOME", u.Home)
	p.Setenv("USER", u.Name)
	p.Setenv("LOGNAME", u.Name)
	p.Cred = p.Machine().CredOf(u)
	if o.Has("l") || len(args) != len(o.Args) {
		p.Dir = u.Home
		p.Setenv("PATH", guest.DefaultPath)
	}
	if cmd == nil {
		cmd = []string{o.Or("s", u.Shell)}
		if o.Has("c") {
			cmd = append(cmd, "-c", o.Value("c"))
		}
	}
	return become(ctx, p, cmd)
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
