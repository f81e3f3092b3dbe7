package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
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
			c = CompareVersions(x, y)
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

// CompareVersions orders versions as sort -V and dpkg do: runs of digits by value, ~ before everything.
func CompareVersions(a, b string) int {
	order := func(s string, i int) int {
		if i >= len(s) {
			return 0
		}
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			return 0
		case c == '~':
			return -1
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
			return int(c)
		default:
			return int(c) + 256
		}
	}
	digit := func(s string, i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		for i < len(a) && !digit(a, i) || j < len(b) && !digit(b, j) {
			if x, y := order(a, i), order(b, j); x != y {
				return x - y
			}
			i++
			j++
		}
		for i < len(a) && a[i] == '0' {
			i++
		}
		for j < len(b) && b[j] == '0' {
			j++
		}
		diff := 0
		for digit(a, i) && digit(b, j) {
			if diff == 0 {
				diff = int(a[i]) - int(b[j])
			}
			i++
			j++
		}
		switch {
		case digit(a, i):
			return 1
		case digit(b, j):
			return -1
		case diff != 0:
			return diff
		}
	}
	return 0
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

func tac(_ context.Context, p *guest.Process) int {
	all, code := gather(p, p.Args[1:])
	for _, l := range slices.Backward(all) {
		p.Print(l + "\n")
	}
	return code
}

func rev(_ context.Context, p *guest.Process) int {
	all, code := gather(p, p.Args[1:])
	for _, l := range all {
		r := []rune(l)
		slices.Reverse(r)
		p.Print(string(r) + "\n")
	}
	return code
}

func nl(_ context.Context, p *guest.Process) int {
	all, code := gather(p, p.Args[1:])
	for i, l := range all {
		p.Printf("%6d\t%s\n", i+1, l)
	}
	return code
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

func yes(ctx context.Context, p *guest.Process) int {
	text := "y"
	if len(p.Args) > 1 {
		text = strings.Join(p.Args[1:], " ")
	}
	for ctx.Err() == nil {
		if _, err := io.WriteString(p.Stdout(), text+"\n"); err != nil {
			return 1
		}
	}
	return 1
}

// follow is tail -f: it shows what is appended until it is killed.
func follow(ctx context.Context, p *guest.Process, names []string) int {
	if len(names) == 0 {
		return 0
	}
	offsets := map[string]int64{}
	for _, name := range names {
		if info, err := p.FS().Stat(p.Cred, p.Path(name)); err == nil {
			offsets[name] = info.Size()
		}
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return 1
		case <-tick.C:
		}
		for _, name := range names {
			f, err := p.FS().Open(p.Cred, p.Path(name), os.O_RDONLY, 0)
			if err != nil {
				continue
			}
			f.SeekTo(min(offsets[name], f.Stat().Size()))
			more, err := io.ReadAll(f)
			f.Close()
			if err == nil {
				offsets[name] = f.Stat().Size()
				p.Print(string(more))
			}
		}
	}
}

func od(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "A,address-radix: t,format: N,read-bytes: v c x", option.GNU)
	if !ok {
		return usage
	}
	return inputs(p, o.Args, func(_ string, r io.Reader) error {
		limit, _ := strconv.ParseInt(o.Or("N", "65536"), 10, 64)
		data, err := io.ReadAll(io.LimitReader(r, limit))
		for i := 0; i < len(data); i += 16 {
			row := data[i:min(i+16, len(data))]
			if o.Value("A") != "n" {
				p.Printf("%07o", i)
			}
			for _, c := range row {
				p.Printf(" %02x", c)
			}
			p.Print("\n")
		}
		return err
	})
}

func column(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "t,table s,separator:", option.GNU)
	if !ok {
		return usage
	}
	all, code := gather(p, o.Args)
	var rows [][]string
	var width []int
	for _, l := range all {
		row := strings.Fields(l)
		if sep := o.Value("s"); sep != "" {
			row = regexp.MustCompile("["+regexp.QuoteMeta(sep)+"]+").Split(l, -1)
		}
		for i, c := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], len(c))
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		for i, c := range row {
			if i == len(row)-1 {
				p.Print(c)
			} else {
				p.Print(fmt.Sprintf("%-*s  ", width[i], c))
			}
		}
		p.Print("\n")
	}
	return code
}
