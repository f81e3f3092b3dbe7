package command

import (
	"context"
	"path"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

func readlink(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "f,canonicalize e,canonicalize-existing m,canonicalize-missing n,no-newline q,quiet s,no-symlinks", option.GNU)
	if !ok {
		return usage
	}
	files, cred := p.Files()
	code := 0
	for _, name := range o.Args {
		var to string
		var err error
		if p.Exe == "realpath" || o.Has("f") || o.Has("e") || o.Has("m") {
			to, err = files.Resolve(cred, p.Path(name))
			if err == nil && o.Has("e") {
				err = files.Access(cred, to, 0)
			}
			if err != nil && o.Has("m") {
				to, err = vfs.Clean(p.Dir, name), nil
			}
		} else {
			to, err = files.Readlink(cred, p.Path(name))
		}
		if err != nil {
			if p.Exe == "realpath" && !o.Has("q") {
				p.Errorf("realpath: %s: %s", name, guest.Reason(err))
			}
			code = 1
			continue
		}
		p.Print(to)
		if !o.Has("n") {
			p.Print("\n")
		}
	}
	return code
}

func basename(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "a,multiple s,suffix: z,zero", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) == 0 {
		return p.Fail(1, "missing operand")
	}
	names, suffix := o.Args, o.Value("s")
	if p.Exe == "basename" && !o.Has("a") && !o.Has("s") {
		if names = o.Args[:1]; len(o.Args) > 1 {
			suffix = o.Args[1]
		}
	}
	for _, name := range names {
		if base := path.Base(name); base != suffix {
			name = strings.TrimSuffix(base, suffix)
		} else {
			name = base
		}
		p.Printf("%s\n", name)
	}
	return 0
}

func dirname(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "z,zero", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) == 0 {
		return p.Fail(1, "missing operand")
	}
	for _, name := range o.Args {
		p.Printf("%s\n", path.Dir(strings.TrimRight(name, "/")+strings.Repeat("/", b2i(strings.Trim(name, "/") == ""))))
	}
	return 0
}
