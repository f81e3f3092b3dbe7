package command

import (
	"context"
	"errors"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

func env(ctx context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "u,unset: C,chdir:", option.First)
	if !ok {
		return 125
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
	args := o.Args
	for len(args) > 0 && strings.Contains(args[0], "=") {
		k, v, _ := strings.Cut(args[0], "=")
		p.Setenv(k, v)
		args = args[1:]
	}
	if len(args) == 0 {
		p.Print(strings.Join(p.Env, "\n") + "\n")
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
