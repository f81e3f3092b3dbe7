package command

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

func files() guest.Programs {
	return guest.Programs{
		"ls": ls, "mkdir": mkdir, "rm": rm, "mv": mv, "cp": cp, "ln": ln, "install": install,
		"chmod": chmod, "chown": chown, "mktemp": mktemp,
		"df": df, "fallocate": fallocate,
		"cmp": cmp, "sync": succeed, "basename": basename, "dirname": dirname,
	}
}

func succeed(context.Context, *guest.Process) int { return 0 }

func mkdir(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "p,parents m,mode:", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) == 0 {
		return p.Fail(1, "missing operand")
	}
	files, cred := p.Files()
	code := 0
	for _, dir := range o.Args {
		full := p.Path(dir)
		var err error
		fresh := files.Access(cred, full, 0) != nil
		if o.Has("p") {
			err = files.MkdirAll(cred, full, 0o777)
		} else {
			err = files.Mkdir(cred, full, 0o777)
		}
		if err == nil && o.Has("m") && fresh {
			err = setMode(p, full, o.Value("m"))
		}
		if err != nil {
			p.Errorf("mkdir: cannot create directory ‘%s’: %s", dir, guest.Reason(err))
			code = 1
		}
	}
	return code
}

func rm(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "r,R,recursive f,force d,dir", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) == 0 && !o.Has("f") {
		return p.Fail(1, "missing operand")
	}
	files, cred := p.Files()
	code := 0
	for _, name := range o.Args {
		full := p.Path(name)
		info, err := files.Lstat(cred, full)
		switch {
		case err != nil:
			if o.Has("f") && errors.Is(err, fs.ErrNotExist) {
				continue
			}
		case vfs.Clean("/", full) == "/":
			err = vfs.EPERM
		case info.IsDir() && o.Has("r"):
			err = files.RemoveAll(cred, full)
		case info.IsDir() && !o.Has("d"):
			err = vfs.EISDIR
		default:
			err = files.Remove(cred, full)
		}
		if err != nil {
			p.Errorf("rm: cannot remove '%s': %s", name, guest.Reason(err))
			code = 1
		}
	}
	return code
}

func ln(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "s,symbolic f,force n,no-dereference r,relative v,verbose t,target-directory: T,no-target-directory", option.GNU)
	if !ok {
		return usage
	}
	sources, dest, into, err := target(p, o)
	if err != nil {
		return p.Fail(1, "%v", err)
	}
	files, cred := p.Files()
	if info, err := files.Lstat(cred, p.Path(dest)); err == nil && info.Mode()&fs.ModeSymlink != 0 && o.Has("n") {
		into = false
	}
	code := 0
	for _, src := range sources {
		to := dest
		if into {
			to = dest + "/" + path.Base(src)
		}
		var err error
		kind := "hard"
		if o.Has("s") {
			kind = "symbolic"
			err = files.Symlink(cred, src, p.Path(to))
		} else {
			err = files.Link(cred, p.Path(src), p.Path(to))
		}
		if err != nil {
			p.Errorf("ln: failed to create %s link '%s': %s", kind, to, guest.Reason(err))
			code = 1
		}
	}
	return code
}
