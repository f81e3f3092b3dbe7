package command

import (
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

func ls(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "a,all A,almost-all l d,directory 1 R,recursive h,human-readable t r,reverse S F,classify n,numeric-uid-gid "+
		"i,inode color? full-time time-style: group-directories-first L,dereference p", option.GNU)
	if !ok {
		return usage
	}
	files, cred := p.Files()
	names := o.Args
	if len(names) == 0 {
		names = []string{"."}
	}
	var plain []*vfs.Info
	var plainNames, dirs []string
	code := 0
	for _, name := range names {
		info, err := files.Stat(cred, p.Path(name))
		if err != nil || o.Has("d") || o.Has("l") && len(o.Args) > 0 && !info.IsDir() {
			info, err = files.Lstat(cred, p.Path(name))
		}
		if err != nil {
			p.Errorf("ls: cannot access '%s': %s", name, guest.Reason(err))
			code = 2
			continue
		}
		if info.IsDir() && !o.Has("d") {
			dirs = append(dirs, name)
		} else {
			plain, plainNames = append(plain, info), append(plainNames, name)
		}
	}
	list(p, o, plain, plainNames, "")
	for i, dir := range dirs {
		if len(names) > 1 || o.Has("R") {
			if i > 0 || len(plain) > 0 {
				p.Print("\n")
			}
			p.Printf("%s:\n", dir)
		}
		entries, err := files.ReadDir(cred, p.Path(dir))
		if err != nil {
			p.Errorf("ls: cannot open directory '%s': %s", dir, guest.Reason(err))
			code = 2
			continue
		}
		var shown []*vfs.Info
		var names []string
		if o.Has("a") {
			for _, dot := range []string{".", ".."} {
				if info, err := files.Stat(cred, p.Path(dir+"/"+dot)); err == nil {
					shown, names = append(shown, info), append(names, dot)
				}
			}
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") && !o.Has("a") && !o.Has("A") {
				continue
			}
			shown, names = append(shown, e), append(names, e.Name())
		}
		if o.Has("l") {
			p.Printf("total %d\n", len(shown)*4)
		}
		list(p, o, shown, names, dir+"/")
	}
	return code
}

func list(p *guest.Process, o option.Set, infos []*vfs.Info, names []string, dir string) {
	order := make([]int, len(infos))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool {
		i, j := order[a], order[b]
		less := names[i] < names[j]
		switch {
		case o.Has("t"):
			less = infos[i].ModTime().After(infos[j].ModTime())
		case o.Has("S"):
			less = infos[i].Size() > infos[j].Size()
		}
		return less != o.Has("r")
	})
	for _, i := range order {
		name := names[i]
		if o.Has("F") && infos[i].IsDir() || o.Has("p") && infos[i].IsDir() {
			name += "/"
		}
		if !o.Has("l") && !o.Has("n") {
			if o.Has("i") {
				name = fmt.Sprint(infos[i].Ino, " ", name)
			}
			p.Printf("%s\n", name)
			continue
		}
		if infos[i].Mode()&fs.ModeSymlink != 0 {
			if to, err := p.FS().Readlink(p.Cred, p.Path(dir+names[i])); err == nil {
				name += " -> " + to
			}
		}
		user, group := guest.UserName(p, infos[i].UID), guest.GroupName(p, infos[i].GID)
		if o.Has("n") {
			user, group = fmt.Sprint(infos[i].UID), fmt.Sprint(infos[i].GID)
		}
		size := fmt.Sprint(infos[i].Size())
		if o.Has("h") {
			size = human(infos[i].Size())
		}
		when := guest.FormatTime("%b %e %H:%M", infos[i].ModTime().Unix(), 0)
		p.Printf("%s %d %s %s %s %s %s\n", modeText(infos[i].Mode()), infos[i].Links, user, group, size, when, name)
	}
}

// modeText is the first column of ls -l.
func modeText(m fs.FileMode) string {
	b := []byte("----------")
	switch {
	case m.IsDir():
		b[0] = 'd'
	case m&fs.ModeSymlink != 0:
		b[0] = 'l'
	case m&fs.ModeCharDevice != 0:
		b[0] = 'c'
	case m&fs.ModeSocket != 0:
		b[0] = 's'
	}
	for i := range 9 {
		if m&(1<<(8-i)) != 0 {
			b[i+1] = "rwx"[i%3]
		}
	}
	special := func(bit fs.FileMode, at int, c byte) {
		if m&bit == 0 {
			return
		}
		if b[at] == '-' {
			c -= 'a' - 'A'
		}
		b[at] = c
	}
	special(fs.ModeSetuid, 3, 's')
	special(fs.ModeSetgid, 6, 's')
	special(fs.ModeSticky, 9, 't')
	return string(b)
}

// human writes a size as df -h does.
func human(n int64) string {
	f := float64(n)
	for _, unit := range []string{"", "K", "M", "G", "T"} {
		if f < 1024 {
			if f < 10 && unit != "" {
				return fmt.Sprintf("%.1f%s", f, unit)
			}
			return fmt.Sprintf("%.0f%s", f, unit)
		}
		f /= 1024
	}
	return fmt.Sprintf("%.0fP", f)
}

func stat(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "c,format: printf: L,dereference f,file-system t,terse", option.GNU)
	if !ok {
		return usage
	}
	if o.Has("f") || o.Has("t") {
		return p.Fail(usage, "the simulator's model has no -f and -t")
	}
	files, cred := p.Files()
	code := 0
	for _, name := range o.Args {
		get := files.Lstat
		if o.Has("L") {
			get = files.Stat
		}
		info, err := get(cred, p.Path(name))
		if err != nil {
			p.Errorf("stat: cannot statx '%s': %s", name, guest.Reason(err))
			code = 1
			continue
		}
		switch {
		case o.Has("printf"):
			p.Print(strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(statFormat(p, o.Value("printf"), name, info)))
		case o.Has("c"):
			p.Printf("%s\n", statFormat(p, o.Value("c"), name, info))
		default:
			p.Print(statFormat(p, "  File: %n\n  Size: %s\tBlocks: %b\tIO Block: 4096\t%F\nDevice: 8,1\tInode: %i\tLinks: %h\n"+
				"Access: (%04a/%A)  Uid: (%u/%U)   Gid: (%g/%G)\nModify: %y\n", name, info))
		}
	}
	return code
}

func statFormat(p *guest.Process, format, name string, info *vfs.Info) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		width := ""
		for i+1 < len(format) && format[i] >= '0' && format[i] <= '9' {
			width += string(format[i])
			i++
		}
		switch format[i] {
		case 'n':
			b.WriteString(name)
		case 'N':
			b.WriteString("'" + name + "'")
		case 's':
			fmt.Fprint(&b, info.Size())
		case 'a':
			fmt.Fprintf(&b, "%"+width+"o", bitsOf(info.Mode()))
		case 'A':
			b.WriteString(modeText(info.Mode()))
		case 'u':
			fmt.Fprint(&b, info.UID)
		case 'g':
			fmt.Fprint(&b, info.GID)
		case 'U':
			b.WriteString(guest.UserName(p, info.UID))
		case 'G':
			b.WriteString(guest.GroupName(p, info.GID))
		case 'i':
			fmt.Fprint(&b, info.Ino)
		case 'h':
			fmt.Fprint(&b, info.Links)
		case 'b':
			fmt.Fprint(&b, (info.Size()+511)/512)
		case 'F':
			b.WriteString(kindText(info))
		case 'Y', 'X', 'Z':
			fmt.Fprint(&b, info.ModTime().Unix())
		case 'y', 'x', 'z':
			b.WriteString(guest.FormatTime("%F %T.%N %z", info.ModTime().Unix(), int64(info.ModTime().Nanosecond())))
		case '%':
			b.WriteByte('%')
		default:
			b.WriteString("?")
		}
	}
	return b.String()
}

func kindText(info *vfs.Info) string {
	switch m := info.Mode(); {
	case m.IsDir():
		return "directory"
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	case m&fs.ModeCharDevice != 0:
		return "character special file"
	case info.Size() == 0:
		return "regular empty file"
	}
	return "regular file"
}

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

func mktemp(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "d,directory p,tmpdir? t q,quiet u,dry-run suffix:", option.GNU)
	if !ok {
		return usage
	}
	args := o.Args
	dir := ""
	if o.Has("p") {
		if dir = o.Value("p"); dir == "" && len(args) > 0 && !strings.Contains(args[0], "XXX") { // -p DIR
			dir, args = args[0], args[1:]
		}
		if dir == "" {
			dir = "/tmp"
		}
	}
	if o.Has("t") && dir == "" {
		dir = "/tmp"
	}
	template := "tmp.XXXXXXXXXX"
	switch len(args) {
	case 0:
		if dir == "" {
			if dir = p.Getenv("TMPDIR"); dir == "" {
				dir = "/tmp"
			}
		}
	case 1:
		template = args[0]
	default:
		return p.Fail(1, "too many templates")
	}
	template += o.Value("suffix")
	end := strings.LastIndex(template, "X")
	begin := end
	for begin >= 0 && template[begin] == 'X' {
		begin--
	}
	if end-begin < 3 {
		return p.Fail(1, "too few X's in template ‘%s’", template)
	}
	files, cred := p.Files()
	for range 100 {
		name := template[:begin+1] + rand.Text()[:min(end-begin, 26)] + template[end+1:]
		if dir != "" {
			name = strings.TrimSuffix(dir, "/") + "/" + name
		}
		var err error
		switch {
		case o.Has("u"):
		case o.Has("d"):
			err = files.Mkdir(cred, p.Path(name), 0o700)
		default:
			var f *vfs.File
			if f, err = files.Open(cred, p.Path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
				f.Close()
			}
		}
		switch {
		case err == nil:
			p.Printf("%s\n", name)
			return 0
		case !os.IsExist(err):
			return p.Fail(1, "failed to create file via template ‘%s’: %s", template, guest.Reason(err))
		}
	}
	return p.Fail(1, "failed to create file via template ‘%s’: File exists", template)
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

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func truncate(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "s,size: c,no-create", option.GNU)
	if !ok {
		return usage
	}
	size, err := parseSize(o.Value("s"))
	if err != nil {
		return p.Fail(1, "Invalid number: ‘%s’", o.Value("s"))
	}
	for _, name := range o.Args {
		f, err := p.FS().Open(p.Cred, p.Path(name), os.O_WRONLY|os.O_CREATE, 0o666)
		if err == nil {
			err = f.Truncate(size)
			f.Close()
		}
		if err != nil {
			return p.Fail(1, "failed to truncate '%s' at %d bytes: %s", name, size, guest.Reason(err))
		}
	}
	return 0
}

// parseSize reads 10, 4k, 1M, 2G, 1MB.
func parseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "kKmMgGtTiB")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, err
	}
	unit := strings.ToUpper(s[len(digits):])
	base := int64(1024)
	if len(unit) == 2 && unit[1] == 'B' {
		base = 1000
	}
	switch strings.TrimSuffix(strings.TrimSuffix(unit, "B"), "I") {
	case "":
		return n, nil
	case "K":
		return n * base, nil
	case "M":
		return n * base * base, nil
	case "G":
		return n * base * base * base, nil
	case "T":
		return n * base * base * base * base, nil
	}
	return 0, strconv.ErrSyntax
}
