package command

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

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
	var pattern *regexp.Regexp
	if len(o.Args) > 0 {
		text := o.Args[0]
		if o.Has("x") {
			text = "^(" + text + ")$"
		}
		var err error
		if pattern, err = regexp.CompilePOSIX(text); err != nil {
			return p.Fail(usage, "pattern: %v", err)
		}
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
		if pattern != nil && !pattern.MatchString(text) {
			continue
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
