package command

import (
	"context"
	"fmt"
	"strings"

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
