package command

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

const defaultDisk = 64 << 30

func diskUsage(p *guest.Process) (used, size int64) {
	used, size = p.FS().Usage()
	if size == 0 {
		size = max(defaultDisk, 2*used)
	}
	return used, size
}

func df(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "h,human-readable k m P,portability T,print-type B,block-size: output? i,inodes a,all l,local", option.GNU)
	if !ok {
		return usage
	}
	used, size := diskUsage(p)
	unit, suffix := int64(1024), "1K"
	switch {
	case o.Has("m"):
		unit, suffix = 1<<20, "1M"
	case o.Has("B"):
		n, err := parseSize(strings.TrimSuffix("1"+strings.TrimLeft(o.Value("B"), "1"), ""))
		if err != nil {
			return p.Fail(1, "invalid --block-size argument '%s'", o.Value("B"))
		}
		unit, suffix = n, o.Value("B")
	}
	show := func(n int64) string {
		if o.Has("h") {
			return human(n)
		}
		return strconv.FormatInt((n+unit-1)/unit, 10)
	}
	avail := max(size-used, 0)
	percent := strconv.FormatInt((used*100+size-1)/size, 10) + "%"
	if o.Has("output") {
		var head, row []string
		for col := range strings.SplitSeq(o.Value("output"), ",") {
			values := map[string][2]string{
				"source": {"Filesystem", "/dev/sda1"}, "fstype": {"Type", "ext4"}, "size": {suffix + "-blocks", show(size)}, "used": {"Used", show(used)},
				"avail": {"Avail", show(avail)}, "pcent": {"Use%", percent}, "target": {"Mounted on", "/"},
			}
			v, ok := values[col]
			if !ok {
				return p.Fail(usage, "the simulator's model has no column '%s'", col)
			}
			head, row = append(head, v[0]), append(row, v[1])
		}
		p.Printf("%s\n%s\n", strings.Join(head, " "), strings.Join(row, " "))
		return 0
	}
	for _, name := range o.Args {
		if _, err := p.FS().Stat(p.Cred, p.Path(name)); err != nil {
			return p.Fail(1, "%s: %s", name, guest.Reason(err))
		}
	}
	p.Printf("Filesystem     %s-blocks      Used Available Use%% Mounted on\n", suffix)
	p.Printf("/dev/sda1      %9s %9s %9s %4s /\n", show(size), show(used), show(avail), percent)
	return 0
}

func du(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "s,summarize h,human-readable k m b,bytes a,all c,total d,max-depth: x,one-file-system", option.GNU)
	if !ok {
		return usage
	}
	files, cred := p.Files()
	names := o.Args
	if len(names) == 0 {
		names = []string{"."}
	}
	for _, name := range names {
		var total int64
		err := each(p, p.Path(name), true, func(file string) error {
			info, err := files.Lstat(cred, file)
			if err == nil {
				total += (info.Size() + 4095) / 4096 * 4096
			}
			return err
		})
		if err != nil {
			return p.Fail(1, "cannot access '%s': %s", name, guest.Reason(err))
		}
		switch {
		case o.Has("h"):
			p.Printf("%s\t%s\n", human(total), name)
		case o.Has("b"):
			p.Printf("%d\t%s\n", total, name)
		case o.Has("m"):
			p.Printf("%d\t%s\n", (total+1<<20-1)>>20, name)
		default:
			p.Printf("%d\t%s\n", total/1024, name)
		}
	}
	return 0
}

func dd(ctx context.Context, p *guest.Process) int {
	in, out := "/dev/stdin", "/dev/stdout"
	bs, count := int64(512), int64(-1)
	quiet := false
	flag := os.O_TRUNC
	for _, arg := range p.Args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		var err error
		switch key {
		case "if":
			in = value
		case "of":
			out = value
		case "bs":
			bs, err = parseSize(value)
		case "count":
			count, err = parseSize(value)
		case "status":
			quiet = value == "none"
		case "conv", "oflag", "iflag":
			if strings.Contains(value, "notrunc") {
				flag = 0
			}
		default:
			return p.Fail(1, "unrecognized operand ‘%s’ (the simulator's model of this command does not have it)", arg)
		}
		if err != nil {
			return p.Fail(1, "invalid number: ‘%s’", value)
		}
	}
	r, err := p.Open(in, os.O_RDONLY, 0)
	if err != nil {
		return p.Fail(1, "failed to open '%s': %s", in, guest.Reason(err))
	}
	defer r.Close()
	w, err := p.Open(out, os.O_WRONLY|os.O_CREATE|flag, 0o666)
	if err != nil {
		return p.Fail(1, "failed to open '%s': %s", out, guest.Reason(err))
	}
	defer w.Close()
	buf := make([]byte, min(bs, 1<<20))
	var total, blocks int64
	for blocks = 0; (count < 0 || total < count*bs) && ctx.Err() == nil; blocks++ {
		b := buf
		if rest := count*bs - total; count >= 0 && rest < int64(len(b)) {
			b = b[:rest]
		}
		n, err := r.Read(b)
		if n > 0 {
			if _, werr := w.Write(b[:n]); werr != nil {
				return p.Fail(1, "error writing '%s': %s", out, guest.Reason(werr))
			}
			total += int64(n)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return p.Fail(1, "error reading '%s': %s", in, guest.Reason(err))
		}
	}
	if !quiet {
		p.Errorf("%d+0 records in\n%d+0 records out\n%d bytes copied", total/bs, total/bs, total)
	}
	return 0
}

func fallocate(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "l,length:", option.GNU)
	if !ok {
		return usage
	}
	size, err := parseSize(o.Value("l"))
	if err != nil || len(o.Args) != 1 {
		return p.Fail(1, "no length argument specified")
	}
	f, err := p.FS().Open(p.Cred, p.Path(o.Args[0]), os.O_WRONLY|os.O_CREATE, 0o666)
	if err == nil {
		err = f.Truncate(size)
		f.Close()
	}
	if err != nil {
		return p.Fail(1, "fallocate failed: %s", guest.Reason(err))
	}
	return 0
}

func mountpoint(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "q,quiet d,fs-devno", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) != 1 {
		return p.Fail(1, "bad usage")
	}
	dir := vfs.Clean(p.Dir, o.Args[0])
	is := dir == "/" || dir == "/proc" || dir == "/sys" || dir == "/run" || dir == "/tmp" || dir == "/dev/shm"
	if !o.Has("q") {
		text := " is not a mountpoint"
		if is {
			text = " is a mountpoint"
		}
		p.Print(o.Args[0] + text + "\n")
	}
	return 1 - b2i(is)
}

func cmp(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "s,quiet,silent", option.GNU)
	if !ok {
		return usage
	}
	a, b, code := twoFiles(p, o.Args)
	if code != 0 {
		return code
	}
	if bytes.Equal(a, b) {
		return 0
	}
	if !o.Has("s") {
		n := 0
		for n < len(a) && n < len(b) && a[n] == b[n] {
			n++
		}
		p.Printf("%s %s differ: byte %d, line %d\n", o.Args[0], o.Args[1], n+1, bytes.Count(a[:n], []byte("\n"))+1)
	}
	return 1
}

func twoFiles(p *guest.Process, names []string) (a, b []byte, code int) {
	if len(names) != 2 {
		return nil, nil, p.Fail(usage, "needs two files")
	}
	var text [2][]byte
	for i, name := range names {
		if name == "-" {
			name = "/dev/stdin"
		}
		f, err := p.Open(name, os.O_RDONLY, 0)
		if err == nil {
			text[i], err = io.ReadAll(f)
			f.Close()
		}
		if err != nil {
			return nil, nil, p.Fail(usage, "%s: %s", names[i], guest.Reason(err))
		}
	}
	return text[0], text[1], 0
}

func diff(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "q,brief u,unified? N,new-file r,recursive s w b", option.GNU)
	if !ok {
		return usage
	}
	if o.Has("r") {
		return p.Fail(usage, "the simulator's model compares files only, not directories")
	}
	a, b, code := twoFiles(p, o.Args)
	if code != 0 || bytes.Equal(a, b) {
		return code
	}
	if o.Has("q") {
		p.Printf("Files %s and %s differ\n", o.Args[0], o.Args[1])
		return 1
	}
	p.Printf("--- %s\n+++ %s\n", o.Args[0], o.Args[1])
	for _, side := range []struct {
		sign string
		own  []byte
		had  []byte
	}{{"-", a, b}, {"+", b, a}} {
		other := map[string]bool{}
		for line := range strings.Lines(string(side.had)) {
			other[line] = true
		}
		for line := range strings.Lines(string(side.own)) {
			if !other[line] {
				p.Print(side.sign + strings.TrimSuffix(line, "\n") + "\n")
			}
		}
	}
	return 1
}

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
