package command

import (
	"context"
	"slices"
	"sort"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/version"
)

func sortLines(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,numeric-sort r,reverse u,unique k,key: t,field-separator: V,version-sort f,ignore-case b s,stable c,check? o,output: h z", option.GNU)
	if !ok {
		return usage
	}
	all, code := gather(p, o.Args)
	keyOf := sortKey(o)
	less := func(a, b string) int {
		x, y := keyOf(a), keyOf(b)
		c := 0
		switch {
		case o.Has("V") || strings.Contains(o.Value("k"), "V"):
			c = version.Compare(x, y)
		case o.Has("n") || o.Has("h") || strings.Contains(o.Value("k"), "n"):
			nx, ny := leadingNumber(x), leadingNumber(y)
			switch {
			case nx < ny:
				c = -1
			case nx > ny:
				c = 1
			}
		case o.Has("f"):
			c = strings.Compare(strings.ToUpper(x), strings.ToUpper(y))
		default:
			c = strings.Compare(x, y)
		}
		if o.Has("r") || strings.Contains(o.Value("k"), "r") {
			c = -c
		}
		return c
	}
	if o.Has("c") {
		if !sort.SliceIsSorted(all, func(i, j int) bool { return less(all[i], all[j]) < 0 }) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b string) int {
		if c := less(a, b); c != 0 || o.Has("s") || o.Has("u") {
			return c
		}
		return strings.Compare(a, b)
	})
	if o.Has("u") {
		all = slices.CompactFunc(all, func(a, b string) bool { return less(a, b) == 0 })
	}
	text := strings.Join(all, "\n")
	if len(all) > 0 {
		text += "\n"
	}
	if file := o.Value("o"); file != "" {
		if err := p.FS().WriteFile(p.Cred, p.Path(file), text, 0o666); err != nil {
			return p.Fail(usage, "open failed: %s: %s", file, guest.Reason(err))
		}
		return code
	}
	p.Print(text)
	return code
}

func sortKey(o option.Set) func(string) string {
	spec := strings.TrimRight(o.Value("k"), "nrVfb")
	if spec == "" {
		return func(s string) string { return s }
	}
	first, last, ranged := strings.Cut(spec, ",")
	first = strings.TrimRight(first, "nrVfb")
	from, _ := strconv.Atoi(strings.Split(first, ".")[0])
	to, _ := strconv.Atoi(strings.Split(strings.TrimRight(last, "nrVfb"), ".")[0])
	return func(s string) string {
		f := strings.Fields(s)
		if sep := o.Value("t"); sep != "" {
			f = strings.Split(s, sep)
		}
		if from < 1 || from > len(f) {
			return ""
		}
		end := len(f)
		if ranged {
			end = min(to, len(f))
		}
		return strings.Join(f[from-1:max(end, from)], " ")
	}
}

func leadingNumber(s string) float64 {
	s = strings.TrimSpace(s)
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.' || n == 0 && s[n] == '-') {
		n++
	}
	v, _ := strconv.ParseFloat(s[:n], 64)
	if n < len(s) {
		switch s[n] {
		case 'K':
			v *= 1 << 10
		case 'M':
			v *= 1 << 20
		case 'G':
			v *= 1 << 30
		}
	}
	return v
}

func uniq(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "c,count d,repeated u,unique i", option.GNU)
	if !ok {
		return usage
	}
	all, code := gather(p, o.Args)
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j] == all[i] {
			j++
		}
		switch n := j - i; {
		case o.Has("d") && n < 2, o.Has("u") && n > 1:
		case o.Has("c"):
			p.Printf("%7d %s\n", n, all[i])
		default:
			p.Print(all[i] + "\n")
		}
		i = j
	}
	return code
}

func comm(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "1 2 3", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) != 2 {
		return p.Fail(1, "missing operand")
	}
	a, codeA := gather(p, o.Args[:1])
	b, codeB := gather(p, o.Args[1:])
	show := func(col, line string) {
		if o.Has(col) {
			return
		}
		indent := ""
		if col != "1" && !o.Has("1") {
			indent += "\t"
		}
		if col == "3" && !o.Has("2") {
			indent += "\t"
		}
		p.Print(indent + line + "\n")
	}
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			show("1", a[0])
			a = a[1:]
		case len(a) == 0 || a[0] > b[0]:
			show("2", b[0])
			b = b[1:]
		default:
			show("3", a[0])
			a, b = a[1:], b[1:]
		}
	}
	return max(codeA, codeB)
}
