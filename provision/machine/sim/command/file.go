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
		"ls": ls, "mkdir": mkdir, "rmdir": rmdir, "rm": rm, "mv": mv, "cp": cp, "ln": ln, "install": install, "touch": touch,
		"chmod": chmod, "chown": chown, "chgrp": chown, "mktemp": mktemp, "stat": stat, "readlink": readlink, "realpath": readlink,
		"truncate": truncate, "find": find, "sync": succeed, "du": du, "df": df, "dd": dd, "fallocate": fallocate, "unlink": rm,
		"mountpoint": mountpoint, "basename": basename, "dirname": dirname, "chattr": succeed, "cmp": cmp, "diff": diff,
	}
}

func succeed(context.Context, *guest.Process) int { return 0 }

func mkdir(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "p,parents m,mode: v,verbose", option.GNU)
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

func rmdir(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "p,parents ignore-fail-on-non-empty", option.GNU)
	if !ok {
		return usage
	}
	files, cred := p.Files()
	code := 0
	for _, dir := range o.Args {
		info, err := files.Lstat(cred, p.Path(dir))
		if err == nil && !info.IsDir() {
			err = vfs.ENOTDIR
		}
		if err == nil {
			err = files.Remove(cred, p.Path(dir))
		}
		if err != nil && !(o.Has("ignore-fail-on-non-empty") && errors.Is(err, vfs.ENOTEMPTY)) {
			p.Errorf("rmdir: failed to remove '%s': %s", dir, guest.Reason(err))
			code = 1
		}
	}
	return code
}

func rm(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "r,R,recursive f,force v,verbose d,dir one-file-system", option.GNU)
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
	if len(o.Args) == 1 {
		o.Args = append(o.Args, ".")
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
		if o.Has("f") {
			if info, err := files.Lstat(cred, p.Path(to)); err == nil && !info.IsDir() {
				files.Remove(cred, p.Path(to))
			}
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
