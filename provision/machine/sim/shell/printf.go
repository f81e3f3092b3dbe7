package shell

import (
	"fmt"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

func builtinPrintf(s *Shell, args []string) int {
	args = args[1:]
	into := ""
	if len(args) > 1 && args[0] == "-v" {
		into = args[1]
		args = args[2:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		s.errorf("printf: usage: printf [-v var] format [arguments]")
		return 2
	}
	text, code := s.format(args[0], args[1:])
	if into != "" {
		name, sub, ok := strings.Cut(into, "[")
		if ok {
			as := &syntax.Assign{Name: &syntax.Lit{Value: name}, Index: &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: strings.TrimSuffix(sub, "]")}}}}
			as.Value = &syntax.Word{Parts: []syntax.WordPart{&syntax.SglQuoted{Value: text}}}
			if err := s.assign(nil, as, false, nil); err != nil {
				s.errorf("printf: %v", err)
				return 1
			}
			return code
		}
		if err := s.setString(into, text); err != nil {
			s.errorf("printf: %v", err)
			return 1
		}
		return code
	}
	return max(code, s.write(text))
}

// Format is printf(1): it reports complaints to the function, and the exit code.
func Format(format string, args []string, now func() int64, complain func(string)) (string, int) {
	f := formatter{args: args, now: now, complain: complain}
	for {
		before := len(f.args)
		f.once(format)
		if f.stop || len(f.args) == 0 || len(f.args) == before {
			return f.out.String(), f.code
		}
	}
}

func (s *Shell) format(format string, args []string) (string, int) {
	now := func() int64 { return s.p.Machine().Time().Unix() }
	return Format(format, args, now, func(msg string) { s.errorf("printf: %s", msg) })
}

type formatter struct {
	args     []string
	out      strings.Builder
	code     int
	stop     bool
	now      func() int64
	complain func(string)
}

func (f *formatter) next() (string, bool) {
	if len(f.args) == 0 {
		return "", false
	}
	a := f.args[0]
	f.args = f.args[1:]
	return a, true
}

func (f *formatter) once(format string) {
	for i := 0; i < len(format) && !f.stop; i++ {
		switch c := format[i]; c {
		case '\\':
			n := escapeLength(format[i:])
			text, stop := unbackslash(format[i:i+n], false)
			f.out.WriteString(text)
			f.stop = stop
			i += n - 1
		case '%':
			i = f.verb(format, i)
		default:
			f.out.WriteByte(c)
		}
	}
}

// verb writes the conversion that begins at i and returns where it ends.
func (f *formatter) verb(format string, i int) int {
	start := i
	i++
	spec := "%"
	for i < len(format) && strings.ContainsRune("-+ 0#'", rune(format[i])) {
		spec += string(format[i])
		i++
	}
	for i < len(format) && (format[i] >= '0' && format[i] <= '9' || format[i] == '.' || format[i] == '*') {
		if format[i] == '*' {
			a, _ := f.next()
			n, _ := strconv.Atoi(a)
			spec += strconv.Itoa(n)
		} else {
			spec += string(format[i])
		}
		i++
	}
	if i < len(format) && format[i] == '(' {
		if end := strings.IndexByte(format[i:], ')'); end > 0 && i+end+1 < len(format) && format[i+end+1] == 'T' {
			f.time(format[i+1 : i+end])
			return i + end + 1
		}
	}
	for i < len(format) && strings.ContainsRune("lhqjzt", rune(format[i])) && format[i] != 'q' {
		i++
	}
	if i >= len(format) {
		f.complain(fmt.Sprintf("`%s': missing format character", format[start:]))
		f.code = 1
		f.stop = true
		return i
	}
	switch c := format[i]; c {
	case '%':
		f.out.WriteByte('%')
	case 's':
		a, _ := f.next()
		fmt.Fprintf(&f.out, spec+"s", a)
	case 'b':
		a, _ := f.next()
		text, stop := unbackslash(a, true)
		fmt.Fprintf(&f.out, spec+"s", text)
		f.stop = stop
	case 'q':
		a, _ := f.next()
		fmt.Fprintf(&f.out, spec+"s", quote(a))
	case 'c':
		a, _ := f.next()
		if a != "" {
			a = a[:1]
		}
		fmt.Fprintf(&f.out, spec+"s", a)
	case 'd', 'i':
		fmt.Fprintf(&f.out, spec+"d", f.integer())
	case 'u':
		fmt.Fprintf(&f.out, spec+"d", uint64(f.integer()))
	case 'x', 'X', 'o':
		fmt.Fprintf(&f.out, spec+string(c), uint64(f.integer()))
	case 'f', 'F', 'e', 'E', 'g', 'G':
		a, _ := f.next()
		n, err := strconv.ParseFloat(a, 64)
		if err != nil && a != "" {
			f.complain(a + ": invalid number")
			f.code = 1
		}
		fmt.Fprintf(&f.out, spec+string(c), n)
	default:
		f.complain(fmt.Sprintf("`%c': invalid format character", c))
		f.code = 1
		f.stop = true
	}
	return i
}

func (f *formatter) integer() int64 {
	a, ok := f.next()
	if !ok || a == "" {
		return 0
	}
	if a[0] == '\'' || a[0] == '"' {
		for _, r := range a[1:] {
			return int64(r)
		}
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(a), "+"), 0, 64)
	if err != nil {
		f.complain(a + ": invalid number")
		f.code = 1
	}
	return n
}

func (f *formatter) time(layout string) {
	when := f.now()
	if a, ok := f.next(); ok && a != "-1" && a != "-2" && a != "" {
		when, _ = strconv.ParseInt(a, 10, 64)
	}
	f.out.WriteString(guest.FormatTime(layout, when, 0))
}

// escapeLength is how many bytes the escape at the beginning of s takes.
func escapeLength(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	digits := func(from, limit int, set string) int {
		n := from
		for n < len(s) && n < from+limit && strings.IndexByte(set, s[n]) >= 0 {
			n++
		}
		return n
	}
	const hex = "0123456789abcdefABCDEF"
	switch s[1] {
	case '0', '1', '2', '3', '4', '5', '6', '7':
		return digits(1, 4, "01234567")
	case 'x':
		return digits(2, 2, hex)
	case 'u':
		return digits(2, 4, hex)
	case 'U':
		return digits(2, 8, hex)
	}
	return 2
}

// unbackslash replaces escapes; stop is set by \c, which ends all output. Of echo and %b, octal numbers begin with \0.
func unbackslash(s string, leadingZero bool) (text string, stop bool) {
	if !strings.Contains(s, `\`) {
		return s, false
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			i++
			continue
		}
		n := escapeLength(s[i:])
		esc := s[i : i+n]
		i += n
		if len(esc) < 2 {
			b.WriteByte('\\')
			continue
		}
		switch c := esc[1]; {
		case strings.IndexByte("abefnrtv\\", c) >= 0:
			b.WriteByte("\a\b\x1b\f\n\r\t\v\\"[strings.IndexByte("abefnrtv\\", c)])
		case c == 'E':
			b.WriteByte('\x1b')
		case c == '"' || c == '\'' && !leadingZero:
			b.WriteByte(c)
		case c == 'c':
			return b.String(), true
		case c >= '0' && c <= '7':
			digits := esc[1:]
			if !leadingZero && len(digits) > 3 {
				i -= len(digits) - 3
				digits = digits[:3]
			}
			v, _ := strconv.ParseUint(digits, 8, 16)
			b.WriteByte(byte(v))
		case c == 'x' && len(esc) > 2:
			v, _ := strconv.ParseUint(esc[2:], 16, 8)
			b.WriteByte(byte(v))
		case (c == 'u' || c == 'U') && len(esc) > 2:
			v, _ := strconv.ParseUint(esc[2:], 16, 32)
			b.WriteRune(rune(v))
		default:
			b.WriteString(esc)
		}
	}
	return b.String(), false
}
