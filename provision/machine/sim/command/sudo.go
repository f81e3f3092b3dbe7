package command

import (
	"context"
	"fmt"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

const securePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"

// sudo runs a command as another user. Who may do so without a password stands in /etc/sudoers.d.
func sudo(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,non-interactive E,preserve-env? u,user: i,login", option.First)
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
	case o.Has("i"):
		p.Dir = u.Home
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

// runuser runs a command as another user, for root.
func runuser(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "u,user:", option.First)
	if !ok {
		return 1
	}
	u, ok := p.Machine().FindUser(o.Value("u"))
	if !ok {
		return p.Fail(1, "user %s does not exist or the user entry does not contain all the required fields", o.Value("u"))
	}
	if p.Cred.UID != 0 {
		return p.Fail(1, "may not be used by non-root users")
	}
	p.Setenv("HOME", u.Home)
	p.Setenv("USER", u.Name)
	p.Setenv("LOGNAME", u.Name)
	p.Cred = p.Machine().CredOf(u)
	return become(ctx, p, o.Args)
}
