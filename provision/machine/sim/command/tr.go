package command

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func tr(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "d,delete s,squeeze-repeats c,C,complement", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) == 0 {
		return p.Fail(1, "missing operand")
	}
	from := trSet(o.Args[0])
	var to []byte
	if len(o.Args) > 1 {
		to = trSet(o.Args[1])
	}
	if o.Has("c") {
		var rest []byte
		for c := range 256 {
			if !slices.Contains(from, byte(c)) {
				rest = append(rest, byte(c))
			}
		}
		from = rest
	}
	var table [256]int
	for i := range table {
		table[i] = i
	}
	for i, c := range from {
		switch {
		case o.Has("d"):
			table[c] = -1
		case len(to) > 0:
			table[c] = int(to[min(i, len(to)-1)])
		}
	}
	squeeze := to
	if len(o.Args) == 1 {
		squeeze = from
	}
	last := -1
	buf := make([]byte, 32<<10)
	for {
		n, err := p.Stdin().Read(buf)
		out := make([]byte, 0, n)
		for _, c := range buf[:n] {
			m := table[c]
			if m < 0 || o.Has("s") && m == last && slices.Contains(squeeze, byte(m)) {
				continue
			}
			last = m
			out = append(out, byte(m))
		}
		p.Print(string(out))
		if errors.Is(err, io.EOF) {
			return 0
		}
		if err != nil || p.Context().Err() != nil {
			return 1
		}
	}
}

func trSet(spec string) []byte {
	classes := map[string]string{
		"[:lower:]": "abcdefghijklmnopqrstuvwxyz", "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "[:digit:]": "0123456789",
		"[:space:]": " \t\n\r\v\f", "[:blank:]": " \t", "[:punct:]": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
	}
	classes["[:alpha:]"] = classes["[:upper:]"] + classes["[:lower:]"]
	classes["[:alnum:]"] = classes["[:digit:]"] + classes["[:alpha:]"]
	var set []byte
	for i := 0; i < len(spec); {
		if strings.HasPrefix(spec[i:], "[:") {
			if end := strings.Index(spec[i:], ":]"); end > 0 {
				set = append(set, classes[spec[i:i+end+2]]...)
				i += end + 2
				continue
			}
		}
		c := spec[i]
		i++
		if c == '\\' && i < len(spec) {
			at := strings.IndexByte("abfnrtv", spec[i])
			switch {
			case at >= 0:
				c = "\a\b\f\n\r\t\v"[at]
				i++
			case spec[i] >= '0' && spec[i] <= '7':
				v := 0
				for n := 0; n < 3 && i < len(spec) && spec[i] >= '0' && spec[i] <= '7'; n++ {
					v = v*8 + int(spec[i]-'0')
					i++
				}
				c = byte(v)
			default:
				c = spec[i]
				i++
			}
		}
		if i+1 < len(spec) && spec[i] == '-' {
			for x := int(c); x <= int(spec[i+1]); x++ {
				set = append(set, byte(x))
			}
			i += 2
			continue
		}
		set = append(set, c)
	}
	return set
}
