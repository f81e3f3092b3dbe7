package command

import (
	"context"
	"regexp"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

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
	o, ok := option.Parse(p, "f,full x,exact l,list-name a,list-full c,count P,parent: signal: g,pgroup:", option.GNU)
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
