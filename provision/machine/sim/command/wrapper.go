package command

import (
	"context"
	"os"
	"strconv"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func flock(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,nb,nonblock s,shared w,wait,timeout:", option.First)
	if !ok {
		return 64
	}
	if len(o.Args) == 0 {
		return p.Fail(64, "requires file descriptor, file or directory")
	}
	fd, err := strconv.Atoi(o.Args[0])
	rest := o.Args[1:]
	if err != nil || len(rest) > 0 {
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
		return 1
	}
	if len(rest) == 0 {
		return 0
	}
	return p.Spawn(rest, nil)
}

func timeout(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "k,kill-after: s,signal: foreground", option.First)
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
	p.Wait(child)
	return 124
}
