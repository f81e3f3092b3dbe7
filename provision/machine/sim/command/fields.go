package command

import (
	"context"
	"io"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func cut(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "d,delimiter: f,fields: c,characters: b,bytes: s,only-delimited complement output-delimiter:", option.GNU)
	if !ok {
		return usage
	}
	spec := o.Value("f") + o.Value("c") + o.Value("b")
	ranges, err := parseRanges(spec)
	if err != nil || spec == "" {
		return p.Fail(1, "invalid field range ‘%s’", spec)
	}
	in := func(n int) bool {
		for _, r := range ranges {
			if n >= r[0] && n <= r[1] {
				return !o.Has("complement")
			}
		}
		return o.Has("complement")
	}
	delim := o.Or("d", "\t")
	out := o.Or("output-delimiter", delim)
	return inputs(p, o.Args, func(_ string, r io.Reader) error {
		return lines(r, func(line string, _ bool) bool {
			if !o.Has("f") {
				var b strings.Builder
				for i, c := range []byte(line) {
					if in(i + 1) {
						b.WriteByte(c)
					}
				}
				p.Print(b.String() + "\n")
				return true
			}
			if !strings.Contains(line, delim) {
				if !o.Has("s") {
					p.Print(line + "\n")
				}
				return true
			}
			var kept []string
			for i, f := range strings.Split(line, delim) {
				if in(i + 1) {
					kept = append(kept, f)
				}
			}
			p.Print(strings.Join(kept, out) + "\n")
			return true
		})
	})
}

func parseRanges(spec string) ([][2]int, error) {
	var out [][2]int
	for part := range strings.SplitSeq(spec, ",") {
		a, b, ranged := strings.Cut(part, "-")
		lo, hi := 1, 1<<30
		var err error
		if a != "" {
			if lo, err = strconv.Atoi(a); err != nil {
				return nil, err
			}
		}
		switch {
		case !ranged:
			hi = lo
		case b != "":
			if hi, err = strconv.Atoi(b); err != nil {
				return nil, err
			}
		}
		out = append(out, [2]int{lo, hi})
	}
	return out, nil
}

func paste(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "s,serial d,delimiters:", option.GNU)
	if !ok {
		return usage
	}
	delim := o.Or("d", "\t")
	if o.Has("s") || len(o.Args) < 2 {
		for _, name := range append(o.Args, "-")[:max(1, len(o.Args))] {
			all, code := gather(p, []string{name})
			if code != 0 {
				return code
			}
			if o.Has("s") {
				p.Print(strings.Join(all, delim) + "\n")
			} else {
				for _, l := range all {
					p.Print(l + "\n")
				}
			}
		}
		return 0
	}
	var cols [][]string
	rows := 0
	for _, name := range o.Args {
		all, code := gather(p, []string{name})
		if code != 0 {
			return code
		}
		cols = append(cols, all)
		rows = max(rows, len(all))
	}
	for i := range rows {
		var row []string
		for _, c := range cols {
			if i < len(c) {
				row = append(row, c[i])
			} else {
				row = append(row, "")
			}
		}
		p.Print(strings.Join(row, delim) + "\n")
	}
	return 0
}
