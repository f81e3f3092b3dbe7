package command

import (
	"bytes"
	"context"
	"io"
	"os"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

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
