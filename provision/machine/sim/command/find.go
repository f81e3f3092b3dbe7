package command

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

func find(_ context.Context, p *guest.Process) int {
	roots, tests := []string{}, p.Args[1:]
	for len(tests) > 0 && !strings.HasPrefix(tests[0], "-") && tests[0] != "!" && tests[0] != "(" {
		roots, tests = append(roots, tests[0]), tests[1:]
	}
	if len(roots) == 0 {
		roots = []string{"."}
	}
	f := finder{p: p, maxDepth: -1}
	if err := f.compile(tests); err != nil {
		return p.Fail(1, "%v", err)
	}
	for _, root := range roots {
		info, err := p.FS().Lstat(p.Cred, p.Path(root))
		if err != nil {
			p.Errorf("find: ‘%s’: %s", root, guest.Reason(err))
			f.code = 1
			continue
		}
		f.walk(root, info, 0)
	}
	f.flush()
	return f.code
}

type finder struct {
	p                  *guest.Process
	tests              []func(name string, info *vfs.Info) bool
	act                func(name string)
	minDepth, maxDepth int
	deletes            bool
	quit, stopped      bool
	code               int
	exec               []string
	batch              []string
}

func (f *finder) compile(args []string) error {
	negate := false
	add := func(t func(string, *vfs.Info) bool) {
		if negate {
			inner := t
			t = func(n string, i *vfs.Info) bool { return !inner(n, i) }
			negate = false
		}
		f.tests = append(f.tests, t)
	}
	print := true
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		value := func() (string, error) {
			if len(args) == 0 {
				return "", errors.New("missing argument to `" + arg + "'")
			}
			v := args[0]
			args = args[1:]
			return v, nil
		}
		switch arg {
		case "!", "-not":
			negate = true
		case "-print", "-a", "-and", "-xdev", "-depth":
		case "-print0":
			f.act = func(n string) { f.p.Print(n + "\x00") }
		case "-delete":
			f.deletes, print = true, false
		case "-quit":
			f.quit = true
		case "-empty":
			add(func(n string, i *vfs.Info) bool {
				if i.IsDir() {
					e, _ := f.p.FS().ReadDir(f.p.Cred, f.p.Path(n))
					return len(e) == 0
				}
				return i.Size() == 0
			})
		case "-exec":
			for len(args) > 0 && args[0] != ";" && args[0] != "+" {
				f.exec = append(f.exec, args[0])
				args = args[1:]
			}
			if len(args) == 0 {
				return errors.New("missing argument to `-exec'")
			}
			if args[0] == "+" {
				f.act = func(n string) { f.batch = append(f.batch, n) }
			} else {
				f.act = func(n string) {
					cmd := make([]string, len(f.exec))
					for i, w := range f.exec {
						cmd[i] = strings.ReplaceAll(w, "{}", n)
					}
					f.p.Spawn(cmd, nil)
				}
			}
			args = args[1:]
			print = false
		case "-name", "-iname", "-path", "-type", "-maxdepth", "-mindepth", "-newer", "-user", "-perm", "-mmin", "-mtime", "-size":
			v, err := value()
			if err != nil {
				return err
			}
			if err := f.test(arg, v, add); err != nil {
				return err
			}
		default:
			return errors.New("unknown predicate `" + arg + "' (the simulator's model of find does not have it)")
		}
	}
	if f.act == nil && print {
		f.act = func(n string) { f.p.Print(n + "\n") }
	}
	return nil
}

func (f *finder) test(name, v string, add func(func(string, *vfs.Info) bool)) error {
	switch name {
	case "-name", "-iname":
		add(func(_ string, i *vfs.Info) bool {
			n := i.Name()
			if name == "-iname" {
				n, v = strings.ToLower(n), strings.ToLower(v)
			}
			return wildcard(v, n)
		})
	case "-path":
		add(func(n string, _ *vfs.Info) bool { return wildcard(v, n) })
	case "-type":
		add(func(_ string, i *vfs.Info) bool {
			switch v {
			case "f":
				return i.Mode().IsRegular()
			case "d":
				return i.IsDir()
			case "l":
				return i.Mode()&fs.ModeSymlink != 0
			}
			return false
		})
	case "-maxdepth", "-mindepth":
		n, err := strconv.Atoi(v)
		if err != nil {
			return err
		}
		if name == "-maxdepth" {
			f.maxDepth = n
		} else {
			f.minDepth = n
		}
	case "-newer":
		ref, err := f.p.FS().Stat(f.p.Cred, f.p.Path(v))
		if err != nil {
			return errors.New("‘" + v + "’: " + guest.Reason(err))
		}
		add(func(_ string, i *vfs.Info) bool { return i.ModTime().After(ref.ModTime()) })
	case "-user":
		add(func(_ string, i *vfs.Info) bool { return guest.UserName(f.p, i.UID) == v })
	case "-mmin", "-mtime":
		n, err := strconv.Atoi(strings.TrimLeft(v, "+-"))
		if err != nil {
			return err
		}
		unit := 60.0
		if name == "-mtime" {
			unit = 86400
		}
		add(func(_ string, i *vfs.Info) bool {
			age := f.p.Machine().Time().Sub(i.ModTime()).Seconds() / unit
			switch v[0] {
			case '+':
				return age > float64(n)
			case '-':
				return age < float64(n)
			}
			return int(age) == n
		})
	default:
		return errors.New("unknown predicate `" + name + "' (the simulator's model of find does not have it)")
	}
	return nil
}

func (f *finder) walk(name string, info *vfs.Info, depth int) {
	if f.stopped {
		return
	}
	if !f.deletes {
		f.visit(name, info, depth)
	}
	if info.IsDir() && (f.maxDepth < 0 || depth < f.maxDepth) {
		entries, err := f.p.FS().ReadDir(f.p.Cred, f.p.Path(name))
		if err != nil {
			f.p.Errorf("find: ‘%s’: %s", name, guest.Reason(err))
			f.code = 1
		}
		for _, e := range entries {
			f.walk(strings.TrimSuffix(name, "/")+"/"+e.Name(), e, depth+1)
		}
	}
	if f.deletes {
		f.visit(name, info, depth)
	}
}

func (f *finder) visit(name string, info *vfs.Info, depth int) {
	if f.stopped || depth < f.minDepth {
		return
	}
	for _, t := range f.tests {
		if !t(name, info) {
			return
		}
	}
	if f.act != nil {
		f.act(name)
	}
	if f.deletes {
		if err := f.p.FS().Remove(f.p.Cred, f.p.Path(name)); err != nil && name != "." {
			f.p.Errorf("find: cannot delete ‘%s’: %s", name, guest.Reason(err))
			f.code = 1
		}
	}
	f.stopped = f.quit
}

// flush runs -exec ... {} + for what was found.
func (f *finder) flush() {
	if len(f.batch) == 0 {
		return
	}
	var cmd []string
	for _, w := range f.exec {
		if w == "{}" {
			cmd = append(cmd, f.batch...)
		} else {
			cmd = append(cmd, w)
		}
	}
	if code := f.p.Spawn(cmd, nil); code != 0 {
		f.code = 1
	}
}
