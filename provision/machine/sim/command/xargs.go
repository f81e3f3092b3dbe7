package command

import (
	"context"
	"io"
	"os"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func xargs(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "r,no-run-if-empty n,max-args: 0,null I: d,delimiter: t,verbose P,max-procs: L: a,arg-file:", option.First)
	if !ok {
		return usage
	}
	var in io.Reader = p.Stdin()
	if file := o.Value("a"); file != "" {
		f, err := p.Open(file, os.O_RDONLY, 0)
		if err != nil {
			return p.Fail(1, "%s: %s", file, guest.Reason(err))
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return 1
	}
	text := string(data)
	var items []string
	switch {
	case o.Has("0"):
		items = strings.Split(strings.TrimSuffix(text, "\x00"), "\x00")
	case o.Has("d"):
		d := strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(o.Value("d"))
		items = strings.Split(strings.TrimSuffix(text, d), d)
	case o.Has("I"), o.Has("L"):
		for l := range strings.Lines(text) {
			if l = strings.TrimSpace(l); l != "" {
				items = append(items, l)
			}
		}
	default:
		items = strings.Fields(strings.NewReplacer(`"`, "", "'", "").Replace(text))
	}
	if text == "" {
		items = nil
	}
	cmd := o.Args
	if len(cmd) == 0 {
		cmd = []string{"echo"}
	}
	run := func(args []string) int {
		code := p.Spawn(args, nil)
		switch {
		case code == 0:
			return 0
		case code >= 126:
			return code
		}
		return 123
	}
	worst := 0
	if repl := o.Value("I"); repl != "" {
		for _, item := range items {
			args := make([]string, len(cmd))
			for i, w := range cmd {
				args[i] = strings.ReplaceAll(w, repl, item)
			}
			worst = max(worst, run(args))
		}
		return worst
	}
	if len(items) == 0 {
		if o.Has("r") {
			return 0
		}
		return run(cmd)
	}
	size := len(items)
	if o.Has("n") {
		size = max(1, number(o.Value("n")))
	} else if o.Has("L") {
		size = max(1, number(o.Value("L")))
	}
	for len(items) > 0 && ctx.Err() == nil {
		n := min(size, len(items))
		worst = max(worst, run(append(append([]string{}, cmd...), items[:n]...)))
		items = items[n:]
	}
	return worst
}
