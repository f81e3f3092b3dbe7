package command

import (
	"context"
	"crypto/rand"
	"os"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

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
