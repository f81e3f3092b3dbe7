package command

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"

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
