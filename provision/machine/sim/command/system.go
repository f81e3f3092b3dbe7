package command

import (
	"context"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func systems() guest.Programs {
	return guest.Programs{
		"true": succeed, "false": func(context.Context, *guest.Process) int { return 1 }, "echo": echo,
		"env": env, "id": id, "hostname": hostname, "uname": uname,
		"date": date, "sleep": sleep, "pgrep": pgrep, "pkill": pgrep,
		"sudo": sudo, "runuser": runuser, "timeout": timeout, "flock": flock,
		"uptime":  uptime,
		"getent":  getent,
		"useradd": useradd, "usermod": usermod,
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

func uptime(_ context.Context, p *guest.Process) int {
	_, ok := option.Parse(p, "p,pretty", option.GNU)
	if !ok {
		return 1
	}
	up := p.Machine().Now().Sub(p.Kernel.Booted)
	p.Printf("up %d minutes, load average: 0.00, 0.00, 0.00\n", int(up.Minutes()))
	return 0
}
