package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

// target is where a command that takes SOURCE... DEST puts each source.
func target(p *guest.Process, o option.Set) (sources []string, dest string, into bool, err error) {
	args := o.Args
	if o.Has("t") {
		return args, o.Value("t"), true, nil
	}
	if len(args) < 2 {
		if len(args) == 1 {
			return nil, "", false, fmt.Errorf("missing destination file operand after '%s'", args[0])
		}
		return nil, "", false, errors.New("missing file operand")
	}
	sources, dest = args[:len(args)-1], args[len(args)-1]
	info, e := p.FS().Stat(p.Cred, p.Path(dest))
	into = e == nil && info.IsDir() && !o.Has("T")
	if len(sources) > 1 && !into {
		return nil, "", false, fmt.Errorf("target '%s': %s", dest, vfs.ENOTDIR)
	}
	return sources, dest, into, nil
}

func mv(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "f,force n,no-clobber t,target-directory: T,no-target-directory", option.GNU)
	if !ok {
		return usage
	}
	sources, dest, into, err := target(p, o)
	if err != nil {
		return p.Fail(1, "%v", err)
	}
	files, cred := p.Files()
	code := 0
	for _, src := range sources {
		to := dest
		if into {
			to = dest + "/" + path.Base(src)
		}
		if _, err := files.Lstat(cred, p.Path(to)); err == nil && o.Has("n") {
			continue
		}
		err := files.Rename(cred, p.Path(src), p.Path(to))
		if errors.Is(err, vfs.EXDEV) { // between disk and tmpfs
			if err = copyTree(p, p.Path(src), p.Path(to), copyAll); err == nil {
				err = files.RemoveAll(cred, p.Path(src))
			}
		}
		if err != nil {
			if _, e := files.Lstat(cred, p.Path(src)); e != nil {
				p.Errorf("mv: cannot stat '%s': %s", src, guest.Reason(e))
			} else {
				p.Errorf("mv: cannot move '%s' to '%s': %s", src, to, guest.Reason(err))
			}
			code = 1
		}
	}
	return code
}

// copying says what a copy keeps.
type copying struct {
	recursive, mode, owner, times, links bool
}

var copyAll = copying{recursive: true, mode: true, owner: true, times: true, links: true}

// copyTree copies a file, or a directory with all in it.
func copyTree(p *guest.Process, src, dst string, c copying) error {
	files, cred := p.Files()
	info, err := files.Lstat(cred, src)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 && !c.links {
		info, err = files.Stat(cred, src)
	}
	if err != nil {
		return err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		link, err := files.Readlink(cred, src)
		if err != nil {
			return err
		}
		files.Remove(cred, dst)
		return files.Symlink(cred, link, dst)
	case info.IsDir():
		if err := files.MkdirAll(cred, dst, 0o777); err != nil {
			return err
		}
		entries, err := files.ReadDir(cred, src)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := copyTree(p, src+"/"+e.Name(), dst+"/"+e.Name(), c); err != nil {
				return err
			}
		}
	default:
		if err := copyFile(p, src, dst, info.Mode().Perm()); err != nil {
			return err
		}
	}
	return keep(p, dst, info, c)
}

func copyFile(p *guest.Process, src, dst string, perm fs.FileMode) error {
	in, err := p.Open(src, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := p.Open(dst, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func keep(p *guest.Process, dst string, info *vfs.Info, c copying) error {
	files, cred := p.Files()
	if c.owner && cred.UID == 0 {
		if err := files.Chown(cred, dst, int(info.UID), int(info.GID), false); err != nil {
			return err
		}
	}
	if c.mode {
		if err := files.Chmod(cred, dst, info.Mode()); err != nil {
			return err
		}
	}
	if c.times {
		return files.Chtimes(cred, dst, info.ModTime())
	}
	return nil
}

func cp(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "r,R,recursive a,archive p n,no-clobber u,update d P,no-dereference "+
		"t,target-directory: T,no-target-directory preserve? remove-destination", option.GNU)
	if !ok {
		return usage
	}
	sources, dest, into, err := target(p, o)
	if err != nil {
		return p.Fail(1, "%v", err)
	}
	c := copying{recursive: o.Has("r"), mode: o.Has("p") || o.Has("preserve"), owner: o.Has("p"), times: o.Has("p"), links: o.Has("r") || o.Has("d") || o.Has("P")}
	if o.Has("a") {
		c = copyAll
	}
	files, cred := p.Files()
	code := 0
	for _, src := range sources {
		to := dest
		if into {
			to = dest + "/" + path.Base(src)
		}
		info, err := files.Stat(cred, p.Path(src))
		if c.links {
			info, err = files.Lstat(cred, p.Path(src))
		}
		old, oldErr := files.Stat(cred, p.Path(to))
		switch {
		case err != nil:
			p.Errorf("cp: cannot stat '%s': %s", src, guest.Reason(err))
			code = 1
			continue
		case info.IsDir() && !c.recursive:
			p.Errorf("cp: -r not specified; omitting directory '%s'", src)
			code = 1
			continue
		case oldErr == nil && o.Has("n"), oldErr == nil && o.Has("u") && !info.ModTime().After(old.ModTime()):
			continue
		case oldErr == nil && old.Ino == info.Ino && !info.IsDir():
			p.Errorf("cp: '%s' and '%s' are the same file", src, to)
			code = 1
			continue
		}
		if o.Has("remove-destination") {
			files.Remove(cred, p.Path(to))
		}
		if err := copyTree(p, p.Path(src), p.Path(to), c); err != nil {
			p.Errorf("cp: cannot copy '%s' to '%s': %s", src, to, guest.Reason(err))
			code = 1
		}
	}
	return code
}

func install(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "d,directory m,mode: o,owner: g,group: D t,target-directory: T,no-target-directory p,preserve-timestamps", option.GNU)
	if !ok {
		return usage
	}
	files, cred := p.Files()
	mode := o.Or("m", "755")
	own := func(file string) error {
		uid, gid := -1, -1
		if o.Has("o") {
			u, ok := p.Machine().FindUser(o.Value("o"))
			if !ok {
				return fmt.Errorf("invalid user ‘%s’", o.Value("o"))
			}
			uid = int(u.UID)
		}
		if o.Has("g") {
			g, ok := p.Machine().FindGroup(o.Value("g"))
			if !ok {
				return fmt.Errorf("invalid group ‘%s’", o.Value("g"))
			}
			gid = int(g.GID)
		}
		if uid >= 0 || gid >= 0 {
			if err := files.Chown(cred, file, uid, gid, true); err != nil {
				return err
			}
		}
		return setMode(p, file, mode)
	}
	if o.Has("d") {
		for _, dir := range o.Args {
			err := files.MkdirAll(vfs.Cred{UID: cred.UID, GID: cred.GID, Groups: cred.Groups, Umask: 0o022}, p.Path(dir), 0o755)
			if err == nil {
				err = own(p.Path(dir))
			}
			if err != nil {
				return p.Fail(1, "cannot create directory '%s': %s", dir, guest.Reason(err))
			}
		}
		return 0
	}
	sources, dest, into, err := target(p, o)
	if err != nil {
		return p.Fail(1, "%v", err)
	}
	for _, src := range sources {
		to := dest
		if into {
			to = dest + "/" + path.Base(src)
		}
		if o.Has("D") {
			if err := files.MkdirAll(cred, path.Dir(p.Path(to)), 0o755); err != nil {
				return p.Fail(1, "cannot create directory '%s': %s", path.Dir(to), guest.Reason(err))
			}
		}
		if src != "/dev/stdin" && src != "/dev/null" && !strings.HasPrefix(src, "/dev/fd/") {
			if info, err := files.Stat(cred, p.Path(src)); err != nil {
				return p.Fail(1, "cannot stat '%s': %s", src, guest.Reason(err))
			} else if info.IsDir() {
				return p.Fail(1, "omitting directory '%s'", src)
			}
		}
		files.Remove(cred, p.Path(to))
		err := copyFile(p, src, p.Path(to), 0o600)
		if err == nil {
			err = own(p.Path(to))
		}
		if err != nil {
			return p.Fail(1, "cannot create regular file '%s': %s", to, guest.Reason(err))
		}
	}
	return 0
}
