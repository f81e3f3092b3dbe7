package command

import (
	"context"
	"fmt"
	"io/fs"
	"sort"
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
