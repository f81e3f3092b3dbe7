package command

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

// bits turns the twelve bits of chmod(2) into a file mode and back.
func modeOf(bits uint32) fs.FileMode {
	m := fs.FileMode(bits & 0o777)
	if bits&0o4000 != 0 {
		m |= fs.ModeSetuid
	}
	if bits&0o2000 != 0 {
		m |= fs.ModeSetgid
	}
	if bits&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m
}

func bitsOf(m fs.FileMode) uint32 {
	b := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		b |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		b |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		b |= 0o1000
	}
	return b
}

// applyMode reads 0644, u+x, go=r, a-w, +X and lists of them with commas.
func applyMode(old fs.FileMode, dir bool, spec string) (fs.FileMode, error) {
	if n, err := strconv.ParseUint(spec, 8, 16); err == nil {
		bits := uint32(n)
		if dir && len(spec) <= 4 {
			bits |= bitsOf(old) & 0o6000 // octal modes leave a directory's setuid and setgid bits
		}
		return modeOf(bits), nil
	}
	bits := bitsOf(old)
	for part := range strings.SplitSeq(spec, ",") {
		i := strings.IndexAny(part, "+-=")
		if i < 0 {
			return 0, fmt.Errorf("invalid mode: ‘%s’", spec)
		}
		who, op, perms := part[:i], part[i], part[i+1:]
		if who == "" {
			who = "a"
		}
		var add uint32
		for _, c := range perms {
			switch c {
			case 'r':
				add |= 0o444
			case 'w':
				add |= 0o222
			case 'x':
				add |= 0o111
			case 'X':
				if dir || bits&0o111 != 0 {
					add |= 0o111
				}
			case 's':
				add |= 0o6000
			case 't':
				add |= 0o1000
			case 'u':
				add |= bits >> 6 & 7 * 0o111
			case 'g':
				add |= bits >> 3 & 7 * 0o111
			case 'o':
				add |= bits & 7 * 0o111
			default:
				return 0, fmt.Errorf("invalid mode: ‘%s’", spec)
			}
		}
		var mask uint32
		for _, c := range who {
			switch c {
			case 'u':
				mask |= 0o4700
			case 'g':
				mask |= 0o2070
			case 'o':
				mask |= 0o1007
			case 'a':
				mask |= 0o7777
			default:
				return 0, fmt.Errorf("invalid mode: ‘%s’", spec)
			}
		}
		switch op {
		case '+':
			bits |= add & mask
		case '-':
			bits &^= add & mask
		case '=':
			bits = bits&^mask | add&mask
		}
	}
	return modeOf(bits), nil
}

func setMode(p *guest.Process, file, spec string) error {
	files, cred := p.Files()
	info, err := files.Stat(cred, file)
	if err != nil {
		return err
	}
	mode, err := applyMode(info.Mode(), info.IsDir(), spec)
	if err != nil {
		return err
	}
	return files.Chmod(cred, file, mode)
}

// each calls do for a path and, when it is a directory and recursive is set, for all below it.
func each(p *guest.Process, file string, recursive bool, do func(string) error) error {
	if err := do(file); err != nil {
		return err
	}
	files, cred := p.Files()
	info, err := files.Lstat(cred, file)
	if err != nil || !info.IsDir() || !recursive {
		return err
	}
	entries, err := files.ReadDir(cred, file)
	for _, e := range entries {
		if err := each(p, file+"/"+e.Name(), true, do); err != nil {
			return err
		}
	}
	return err
}

func chmod(_ context.Context, p *guest.Process) int {
	args := p.Args
	for i, a := range args[1:] { // "chmod -x file" is a mode, not an option
		if len(a) > 1 && a[0] == '-' && strings.Trim(a[1:], "rwxXst") == "" {
			p.Args = append(append(append([]string{}, args[:i+1]...), "a"+a), args[i+2:]...)
			break
		}
	}
	o, ok := option.Parse(p, "R,recursive v,verbose c,changes f,silent,quiet reference:", option.GNU)
	if !ok {
		return usage
	}
	spec := ""
	names := o.Args
	if ref := o.Value("reference"); ref != "" {
		info, err := p.FS().Stat(p.Cred, p.Path(ref))
		if err != nil {
			return p.Fail(1, "failed to get attributes of '%s': %s", ref, guest.Reason(err))
		}
		spec = strconv.FormatUint(uint64(bitsOf(info.Mode())), 8)
	} else {
		if len(names) < 2 {
			return p.Fail(1, "missing operand")
		}
		spec, names = names[0], names[1:]
	}
	code := 0
	for _, name := range names {
		err := each(p, p.Path(name), o.Has("R"), func(file string) error {
			if info, err := p.FS().Lstat(p.Cred, file); err == nil && info.Mode()&fs.ModeSymlink != 0 && o.Has("R") {
				return nil
			}
			return setMode(p, file, spec)
		})
		if err != nil {
			if strings.HasPrefix(err.Error(), "invalid mode") {
				return p.Fail(1, "%v", err)
			}
			p.Errorf("chmod: cannot access '%s': %s", name, guest.Reason(err))
			code = 1
		}
	}
	return code
}

func chown(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "R,recursive v,verbose h,no-dereference f,silent,quiet reference:", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) < 2 && !o.Has("reference") {
		return p.Fail(1, "missing operand")
	}
	uid, gid, names := -1, -1, o.Args
	if ref := o.Value("reference"); ref != "" {
		info, err := p.FS().Stat(p.Cred, p.Path(ref))
		if err != nil {
			return p.Fail(1, "failed to get attributes of '%s': %s", ref, guest.Reason(err))
		}
		uid, gid = int(info.UID), int(info.GID)
	} else {
		owner, group, hasGroup := strings.Cut(names[0], ":")
		if p.Exe == "chgrp" {
			owner, group, hasGroup = "", names[0], true
		}
		names = names[1:]
		if owner != "" {
			u, ok := p.Machine().FindUser(owner)
			if !ok {
				return p.Fail(1, "invalid user: ‘%s’", owner)
			}
			uid = int(u.UID)
			if hasGroup && group == "" {
				gid = int(u.GID)
			}
		}
		if group != "" {
			g, ok := p.Machine().FindGroup(group)
			if !ok {
				return p.Fail(1, "invalid group: ‘%s’", group)
			}
			gid = int(g.GID)
		}
	}
	files, cred := p.Files()
	code := 0
	for _, name := range names {
		err := each(p, p.Path(name), o.Has("R"), func(file string) error {
			return files.Chown(cred, file, uid, gid, !o.Has("h") && !o.Has("R"))
		})
		if err != nil {
			p.Errorf("%s: changing ownership of '%s': %s", p.Exe, name, guest.Reason(err))
			code = 1
		}
	}
	return code
}
