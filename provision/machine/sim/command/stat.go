package command

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

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

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
