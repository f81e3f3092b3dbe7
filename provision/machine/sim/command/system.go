package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/shell"
	"podium/provision/machine/sim/vfs"
)

func systems() guest.Programs {
	return guest.Programs{
		"true": succeed, "false": func(context.Context, *guest.Process) int { return 1 }, "echo": echo, "printf": printf, "test": test, "[": test,
		"pwd": pwd, "env": env, "printenv": printenv, "id": id, "whoami": whoami, "groups": groups, "hostname": hostname, "uname": uname,
		"arch": arch, "date": date, "sleep": sleep, "nproc": nproc, "ps": ps, "kill": kill, "pgrep": pgrep, "pkill": pgrep, "pidof": pidof,
		"sudo": sudo, "su": su, "runuser": su, "timeout": timeout, "nohup": nohup, "setsid": setsid, "flock": flock, "nice": nice, "ionice": nice,
		"stdbuf": nice, "tty": tty, "uptime": uptime, "free": free, "logger": succeed, "getconf": getconf, "which": which, "clear": succeed,
		"getent": getent, "tput": succeed, "stty": succeed, "locale": succeed, "reset": succeed, "who": succeed, "last": succeed, "dircolors": succeed,
		"useradd": useradd, "adduser": useradd, "usermod": usermod, "groupadd": groupadd, "addgroup": groupadd, "userdel": userdel,
		"chpasswd": chpasswd, "gpasswd": gpasswd, "passwd": succeed,
	}
}

func echo(_ context.Context, p *guest.Process) int {
	args, end := p.Args[1:], "\n"
	if len(args) > 0 && args[0] == "-n" {
		args, end = args[1:], ""
	}
	p.Print(strings.Join(args, " ") + end)
	return 0
}

func printf(_ context.Context, p *guest.Process) int {
	if len(p.Args) < 2 {
		return p.Fail(1, "missing operand")
	}
	now := func() int64 { return p.Machine().Time().Unix() }
	text, code := shell.Format(p.Args[1], p.Args[2:], now, func(msg string) { p.Errorf("printf: %s", msg) })
	p.Print(text)
	return code
}

func test(_ context.Context, p *guest.Process) int {
	args := p.Args[1:]
	if p.Exe == "[" {
		if len(args) == 0 || args[len(args)-1] != "]" {
			return p.Fail(2, "missing ‘]’")
		}
		args = args[:len(args)-1]
	}
	code, message := shell.Test(p, args, nil)
	if message != "" {
		return p.Fail(2, "%s", message)
	}
	return code
}

func pwd(_ context.Context, p *guest.Process) int {
	p.Print(vfs.Clean("/", p.Dir) + "\n")
	return 0
}

func env(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "i,ignore-environment u,unset: C,chdir: 0,null S,split-string:", option.First)
	if !ok {
		return 125
	}
	if o.Has("i") {
		p.Env = nil
	}
	for _, name := range o.Values("u") {
		var kept []string
		for _, kv := range p.Env {
			if !strings.HasPrefix(kv, name+"=") {
				kept = append(kept, kv)
			}
		}
		p.Env = kept
	}
	if dir := o.Value("C"); dir != "" {
		p.Dir = vfs.Clean(p.Dir, dir)
	}
	args := append(strings.Fields(o.Value("S")), o.Args...)
	if len(args) > 0 && args[0] == "-" {
		p.Env, args = nil, args[1:]
	}
	for len(args) > 0 && strings.Contains(args[0], "=") {
		k, v, _ := strings.Cut(args[0], "=")
		p.Setenv(k, v)
		args = args[1:]
	}
	if len(args) == 0 {
		for _, kv := range p.Env {
			p.Print(kv + "\n")
		}
		return 0
	}
	return become(ctx, p, args)
}

// become runs another program in this process, as a command does that ends in exec.
func become(ctx context.Context, p *guest.Process, args []string) int {
	name := p.Exe
	run, full, err := p.Load(args)
	if err != nil {
		var e *guest.ExecError
		code := 126
		if errors.As(err, &e) {
			code = e.Code
		}
		reason := strings.Replace(err.Error(), "command not found", "No such file or directory", 1)
		if name == "sudo" {
			reason = strings.Replace(err.Error(), ": command not found", ": command not found", 1)
			if code == 127 {
				code = 1
			}
		}
		p.Errorf("%s: %s", name, reason)
		return code
	}
	return p.Become(ctx, run, full)
}

func printenv(_ context.Context, p *guest.Process) int {
	if len(p.Args) == 1 {
		for _, kv := range p.Env {
			p.Print(kv + "\n")
		}
		return 0
	}
	code := 0
	for _, name := range p.Args[1:] {
		if v, ok := p.LookupEnv(name); ok {
			p.Print(v + "\n")
		} else {
			code = 1
		}
	}
	return code
}

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

func arch(_ context.Context, p *guest.Process) int {
	p.Print(map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[p.Machine().Hardware.Arch] + "\n")
	return 0
}

func date(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "u,utc,universal d,date: I,iso-8601? R,rfc-email s,set: r,reference: rfc-3339:", option.GNU)
	if !ok {
		return 1
	}
	when := p.Kernel.Clock()
	if o.Has("s") {
		t, err := parseDate(o.Value("s"), when)
		if err != nil {
			return p.Fail(1, "%v", err)
		}
		if p.Cred.UID != 0 {
			return p.Fail(1, "cannot set date: Operation not permitted")
		}
		p.Kernel.SetClock(t)
		when = t
	}
	if o.Has("r") {
		info, err := p.FS().Stat(p.Cred, p.Path(o.Value("r")))
		if err != nil {
			return p.Fail(1, "%s: %s", o.Value("r"), guest.Reason(err))
		}
		when = info.ModTime()
	}
	if o.Has("d") {
		t, err := parseDate(o.Value("d"), when)
		if err != nil {
			return p.Fail(1, "%v", err)
		}
		when = t
	}
	layout := "%a %b %e %H:%M:%S %Z %Y"
	switch {
	case len(o.Args) > 0 && strings.HasPrefix(o.Args[0], "+"):
		layout = o.Args[0][1:]
	case len(o.Args) > 0:
		return p.Fail(1, "invalid date ‘%s’", o.Args[0])
	case o.Has("I"):
		layout = "%Y-%m-%d"
		if strings.HasPrefix(o.Value("I"), "s") {
			layout = "%Y-%m-%dT%H:%M:%S%:z"
		}
	case o.Has("R"):
		layout = "%a, %d %b %Y %H:%M:%S %z"
	case o.Has("rfc-3339"):
		layout = "%Y-%m-%d %H:%M:%S%:z"
	}
	p.Print(guest.FormatTime(layout, when.Unix(), int64(when.Nanosecond())) + "\n")
	return 0
}

func sleep(ctx context.Context, p *guest.Process) int {
	var total time.Duration
	for _, a := range p.Args[1:] {
		d, err := duration(a)
		if err != nil {
			return p.Fail(1, "invalid time interval ‘%s’", a)
		}
		total += d
	}
	if len(p.Args) < 2 {
		return p.Fail(1, "missing operand")
	}
	t := time.NewTimer(total)
	defer t.Stop()
	select {
	case <-t.C:
		return 0
	case <-ctx.Done():
		return 1
	}
}

// duration reads 5, 0.5, 2s, 1m, infinity.
func duration(s string) (time.Duration, error) {
	if s == "infinity" || s == "inf" {
		return 1 << 62, nil
	}
	unit := time.Second
	switch {
	case strings.HasSuffix(s, "s"):
		s = s[:len(s)-1]
	case strings.HasSuffix(s, "m"):
		s, unit = s[:len(s)-1], time.Minute
	case strings.HasSuffix(s, "h"):
		s, unit = s[:len(s)-1], time.Hour
	case strings.HasSuffix(s, "d"):
		s, unit = s[:len(s)-1], 24*time.Hour
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 {
		return 0, fmt.Errorf("invalid duration %q", s)
	}
	return time.Duration(f * float64(unit)), nil
}

func nproc(_ context.Context, p *guest.Process) int {
	p.Printf("%d\n", p.Machine().Hardware.CPUs)
	return 0
}

func getconf(_ context.Context, p *guest.Process) int {
	if len(p.Args) < 2 {
		return p.Fail(2, "missing operand")
	}
	switch p.Args[1] {
	case "PAGESIZE", "PAGE_SIZE":
		p.Print("4096\n")
	case "LONG_BIT":
		p.Print("64\n")
	case "_NPROCESSORS_ONLN", "_NPROCESSORS_CONF":
		p.Printf("%d\n", p.Machine().Hardware.CPUs)
	default:
		return p.Fail(2, "Unrecognized variable `%s'", p.Args[1])
	}
	return 0
}

func tty(_ context.Context, p *guest.Process) int {
	if !p.TTY() {
		p.Print("not a tty\n")
		return 1
	}
	p.Print("/dev/pts/0\n")
	return 0
}

func uptime(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "p,pretty s,since", option.GNU)
	if !ok {
		return 1
	}
	if o.Has("s") {
		p.Print(guest.FormatTime("%F %T", p.Kernel.Booted.Unix(), 0) + "\n")
		return 0
	}
	up := p.Machine().Now().Sub(p.Kernel.Booted)
	p.Printf("up %d minutes, load average: 0.00, 0.00, 0.00\n", int(up.Minutes()))
	return 0
}

func free(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "h,human m,mebi g,gibi k b,bytes t w", option.GNU)
	if !ok {
		return 1
	}
	total := p.Machine().Hardware.Memory
	show := func(n int64) string {
		switch {
		case o.Has("h"):
			return human(n)
		case o.Has("m"):
			return fmt.Sprint(n >> 20)
		case o.Has("g"):
			return fmt.Sprint(n >> 30)
		case o.Has("b"):
			return fmt.Sprint(n)
		}
		return fmt.Sprint(n >> 10)
	}
	used := total / 8
	p.Printf("               total        used        free      shared  buff/cache   available\n")
	p.Printf("Mem:    %12s %11s %11s %11s %11s %11s\n", show(total), show(used), show(total-used), show(0), show(0), show(total-used))
	swap := p.Kernel.SwapTotal()
	p.Printf("Swap:   %12s %11s %11s\n", show(swap), show(0), show(swap))
	return 0
}

func which(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "a s", option.GNU)
	if !ok {
		return usage
	}
	code := 0
	for _, name := range o.Args {
		path, found := p.LookPath(name)
		if !found {
			code = 1
			continue
		}
		if !o.Has("s") {
			p.Print(path + "\n")
		}
	}
	return code
}

func flock(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,nb,nonblock x,e,exclusive s,shared u,unlock w,wait,timeout: E,conflict-exit-code: c,command: o,close F,no-fork", option.First)
	if !ok {
		return 64
	}
	if len(o.Args) == 0 {
		return p.Fail(64, "requires file descriptor, file or directory")
	}
	conflict := number(o.Or("E", "1"))
	fd, err := strconv.Atoi(o.Args[0])
	rest := o.Args[1:]
	if err != nil || len(rest) > 0 || o.Has("c") {
		fd = p.FreeFD(3)
		err := p.OpenFD(fd, o.Args[0], os.O_RDONLY|os.O_CREATE)
		if err != nil {
			if info, e := p.FS().Stat(p.Cred, p.Path(o.Args[0])); e != nil || !info.IsDir() {
				return p.Fail(66, "cannot open lock file %s: %s", o.Args[0], guest.Reason(err))
			}
		}
	} else if !p.HasFD(fd) {
		return p.Fail(65, "%d: Bad file descriptor", fd)
	}
	if o.Has("u") {
		p.Unflock(fd)
		return 0
	}
	wait := ctx
	if o.Has("w") {
		d, err := duration(o.Value("w"))
		if err != nil {
			return p.Fail(64, "invalid timeout value: '%s'", o.Value("w"))
		}
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	if err := p.Flock(wait, fd, o.Has("s"), !o.Has("n")); err != nil {
		return conflict
	}
	switch {
	case o.Has("c"):
		rest = []string{"/bin/sh", "-c", o.Value("c")}
	case len(rest) > 1 && rest[0] == "-c":
		rest = []string{"/bin/sh", "-c", rest[1]}
	}
	if len(rest) == 0 {
		return 0
	}
	return p.Spawn(rest, nil)
}

func timeout(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "k,kill-after: s,signal: foreground preserve-status v,verbose", option.First)
	if !ok {
		return 125
	}
	if len(o.Args) < 2 {
		return p.Fail(125, "missing operand")
	}
	limit, err := duration(o.Args[0])
	if err != nil {
		return p.Fail(125, "invalid time interval ‘%s’", o.Args[0])
	}
	sig, ok := guest.ParseSignal(o.Or("s", "TERM"))
	if !ok {
		return p.Fail(125, "‘%s’: invalid signal", o.Value("s"))
	}
	kill := time.Duration(0)
	if o.Has("k") {
		if kill, err = duration(o.Value("k")); err != nil {
			return p.Fail(125, "invalid time interval ‘%s’", o.Value("k"))
		}
	}
	args := o.Args[1:]
	child, err := p.Fork(func(c *guest.Process) {
		if !o.Has("foreground") {
			c.SetGroup(0)
		}
	}, func(ctx context.Context, c *guest.Process) int { c.Exe = "timeout"; return become(ctx, c, args) })
	if err != nil {
		return 125
	}
	signal := func(s guest.Signal) {
		child.Signal(s)
		if !o.Has("foreground") {
			p.Kernel.Kill(-child.PID, s)
		}
	}
	p.OnSignal(func(s guest.Signal) bool { signal(s); return false })
	if limit == 0 {
		return p.Wait(child)
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-child.Done():
		return child.Status()
	case <-ctx.Done():
		signal(guest.SIGTERM)
		return 124
	case <-t.C:
	}
	signal(sig)
	if kill > 0 {
		k := time.NewTimer(kill)
		defer k.Stop()
		select {
		case <-child.Done():
		case <-k.C:
			signal(guest.SIGKILL)
			p.Wait(child)
			return 137
		}
	}
	code := p.Wait(child)
	if o.Has("preserve-status") {
		return code
	}
	return 124
}

func nohup(ctx context.Context, p *guest.Process) int {
	if len(p.Args) < 2 {
		return p.Fail(125, "missing operand")
	}
	p.Ignore(guest.SIGHUP)
	return become(ctx, p, p.Args[1:])
}

func setsid(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "w,wait f,fork c,ctty", option.First)
	if !ok {
		return 1
	}
	if len(o.Args) == 0 {
		return p.Fail(1, "no command specified")
	}
	if !o.Has("f") && p.SetSession() {
		return become(ctx, p, o.Args)
	}
	child, err := p.Fork(nil, func(ctx context.Context, c *guest.Process) int {
		c.SetSession()
		c.Exe = "setsid"
		return become(ctx, c, o.Args)
	})
	if err != nil {
		return 1
	}
	if o.Has("w") {
		return p.Wait(child)
	}
	return 0
}

func nice(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,adjustment,classdata: c,class: p,pid: o,output: e,error: i,input: t", option.First)
	if !ok {
		return 125
	}
	if len(o.Args) == 0 {
		return 0
	}
	return become(ctx, p, o.Args)
}

func ps(_ context.Context, p *guest.Process) int {
	p.Print("    PID TTY          TIME CMD\n")
	for _, q := range p.Kernel.Processes() {
		p.Printf("%7d ?        00:00:00 %s\n", q.PID, strings.Join(q.Shown().Args, " "))
	}
	return 0
}

func kill(_ context.Context, p *guest.Process) int {
	sig, args := guest.SIGTERM, p.Args[1:]
	if len(args) > 1 && args[0] == "-s" {
		args = append([]string{"-" + args[1]}, args[2:]...)
	}
	if len(args) > 1 && strings.HasPrefix(args[0], "-") && args[0] != "--" {
		var ok bool
		if sig, ok = guest.ParseSignal(args[0][1:]); !ok {
			return p.Fail(1, "invalid signal '%s'", args[0])
		}
		args = args[1:]
	}
	code := 0
	for _, a := range args {
		pid, err := strconv.Atoi(a)
		if a == "--" {
			continue
		}
		if err != nil || !p.Kernel.Kill(pid, sig) {
			p.Errorf("kill: (%s): No such process", a)
			code = 1
		}
	}
	return code
}

func pgrep(_ context.Context, p *guest.Process) int {
	args := []string{p.Args[0]}
	sig := guest.SIGTERM
	for _, a := range p.Args[1:] {
		if s, ok := guest.ParseSignal(strings.TrimPrefix(a, "-")); ok && strings.HasPrefix(a, "-") && p.Exe == "pkill" && len(a) > 2 {
			sig = s
			continue
		}
		args = append(args, a)
	}
	p.Args = args
	o, ok := option.Parse(p, "f,full x,exact l,list-name a,list-full c,count u,euid: n,newest o,oldest P,parent: signal: g,pgroup: d,delimiter:", option.GNU)
	if !ok {
		return usage
	}
	if o.Has("signal") {
		sig, _ = guest.ParseSignal(o.Value("signal"))
	}
	found := 0
	for _, q := range p.Kernel.Processes() {
		if q.PID == p.PID {
			continue
		}
		seen := q.Shown()
		text := seen.Name
		if o.Has("f") {
			text = strings.Join(seen.Args, " ")
		}
		if len(o.Args) > 0 {
			if o.Has("x") && text != o.Args[0] || !o.Has("x") && !strings.Contains(text, strings.Trim(o.Args[0], "^$")) {
				continue
			}
		}
		if o.Has("P") && q.PPID != number(o.Value("P")) || o.Has("g") && q.Group() != number(o.Value("g")) {
			continue
		}
		found++
		switch {
		case p.Exe == "pkill":
			q.Signal(sig)
		case o.Has("c"):
		case o.Has("a"):
			p.Printf("%d %s\n", q.PID, strings.Join(seen.Args, " "))
		case o.Has("l"):
			p.Printf("%d %s\n", q.PID, seen.Name)
		default:
			p.Printf("%d\n", q.PID)
		}
	}
	if o.Has("c") {
		p.Printf("%d\n", found)
	}
	return b2i(found == 0)
}

func pidof(_ context.Context, p *guest.Process) int {
	var pids []string
	for _, q := range p.Kernel.Processes() {
		for _, name := range p.Args[1:] {
			if q.Shown().Name == name {
				pids = append(pids, strconv.Itoa(q.PID))
			}
		}
	}
	if pids == nil {
		return 1
	}
	p.Print(strings.Join(pids, " ") + "\n")
	return 0
}
