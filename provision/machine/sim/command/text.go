package command

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func texts() guest.Programs {
	return guest.Programs{
		"cat": cat, "head": head, "tail": tail, "wc": wc, "sort": sortLines, "uniq": uniq, "cut": cut, "tr": tr, "tee": tee, "seq": seq,
		"base64": base64Text, "sha256sum": checksum, "md5sum": checksum, "sha1sum": checksum, "sha512sum": checksum, "tac": tac,
		"rev": rev, "paste": paste, "comm": comm, "yes": yes, "nl": nl, "fold": cat, "od": od, "column": column, "split": unmodelled,
		"strings": cat, "less": cat, "more": cat,
	}
}

func unmodelled(_ context.Context, p *guest.Process) int {
	return p.Fail(usage, "the simulator has no model of this command")
}

// inputs calls do for each named file, or standard input, and returns 1 if one could not be read.
func inputs(p *guest.Process, names []string, do func(name string, r io.Reader) error) int {
	if len(names) == 0 {
		names = []string{"-"}
	}
	code := 0
	for _, name := range names {
		var err error
		if name == "-" {
			err = do(name, p.Stdin())
		} else {
			var f io.ReadCloser
			if f, err = p.Open(name, os.O_RDONLY, 0); err == nil {
				err = do(name, f)
				f.Close()
			}
		}
		if err != nil {
			if p.Context().Err() != nil || errors.Is(err, guest.EPIPE) {
				return 1
			}
			p.Errorf("%s: %s: %s", p.Exe, name, guest.Reason(err))
			code = 1
		}
	}
	return code
}

// lines calls do for each line, without its end; do returns false to stop.
func lines(r io.Reader, do func(line string, ended bool) bool) error {
	br := bufio.NewReader(r)
	for {
		line, err := br.ReadString('\n')
		if line != "" {
			text, ended := strings.CutSuffix(line, "\n")
			if !do(text, ended) {
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// gather reads all lines of all files.
func gather(p *guest.Process, names []string) (all []string, code int) {
	code = inputs(p, names, func(_ string, r io.Reader) error {
		return lines(r, func(line string, _ bool) bool {
			all = append(all, line)
			return true
		})
	})
	return all, code
}

func cat(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "n,number A,show-all v e t E,show-ends u s,squeeze-blank b w:", option.GNU)
	if !ok {
		return usage
	}
	n := 0
	return inputs(p, o.Args, func(_ string, r io.Reader) error {
		if !o.Has("n") && !o.Has("A") && !o.Has("E") {
			_, err := io.Copy(struct{ io.Writer }{p.Stdout()}, struct{ io.Reader }{r})
			return err
		}
		return lines(r, func(line string, ended bool) bool {
			n++
			if o.Has("n") {
				p.Printf("%6d\t", n)
			}
			if o.Has("A") {
				line = strings.NewReplacer("\t", "^I", "\r", "^M").Replace(line)
			}
			if ended {
				line += strings.Repeat("$", b2i(o.Has("A") || o.Has("E"))) + "\n"
			}
			p.Print(line)
			return true
		})
	})
}

func head(_ context.Context, p *guest.Process) int {
	p.Args = oldCount(p.Args)
	o, ok := option.Parse(p, "n,lines: c,bytes: q,quiet v,verbose", option.GNU)
	if !ok {
		return usage
	}
	count, isBytes := o.Or("n", "10"), o.Has("c")
	if isBytes {
		count = o.Value("c")
	}
	n, err := parseSize(strings.TrimPrefix(count, "-"))
	if err != nil {
		return p.Fail(1, "invalid number of lines: ‘%s’", count)
	}
	butLast := strings.HasPrefix(count, "-")
	first := true
	return inputs(p, o.Args, func(name string, r io.Reader) error {
		if len(o.Args) > 1 && !o.Has("q") {
			if !first {
				p.Print("\n")
			}
			p.Printf("==> %s <==\n", name)
		}
		first = false
		if isBytes && !butLast {
			return copyBytes(p, r, n)
		}
		if isBytes {
			all, err := io.ReadAll(r)
			p.Print(string(all[:max(0, len(all)-int(n))]))
			return err
		}
		if butLast {
			var kept []string
			err := lines(r, func(line string, _ bool) bool {
				kept = append(kept, line)
				return true
			})
			for _, l := range kept[:max(0, len(kept)-int(n))] {
				p.Print(l + "\n")
			}
			return err
		}
		left := n
		if left == 0 {
			return nil
		}
		return lines(r, func(line string, ended bool) bool {
			if ended {
				line += "\n"
			}
			p.Print(line)
			left--
			return left > 0
		})
	})
}

// copyBytes copies n bytes and reads no further, so that what follows stays for the next reader.
func copyBytes(p *guest.Process, r io.Reader, n int64) error {
	buf := make([]byte, 32<<10)
	for n > 0 {
		m, err := r.Read(buf[:min(n, int64(len(buf)))])
		if _, werr := p.Stdout().Write(buf[:m]); werr != nil {
			return werr
		}
		n -= int64(m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// oldCount turns "head -5" into "head -n 5".
func oldCount(args []string) []string {
	out := append([]string{}, args...)
	if len(out) > 1 && len(out[1]) > 1 && out[1][0] == '-' && strings.Trim(out[1][1:], "0123456789") == "" {
		out[1] = "-n" + out[1][1:]
	}
	return out
}

func tail(ctx context.Context, p *guest.Process) int {
	p.Args = oldCount(p.Args)
	o, ok := option.Parse(p, "n,lines: c,bytes: f,follow? F q,quiet v s: pid: retry", option.GNU)
	if !ok {
		return usage
	}
	count := o.Or("n", "10")
	if o.Has("c") {
		count = o.Value("c")
	}
	n, err := strconv.Atoi(strings.TrimLeft(count, "+-"))
	if err != nil {
		return p.Fail(1, "invalid number of lines: ‘%s’", count)
	}
	from := strings.HasPrefix(count, "+")
	code := inputs(p, o.Args, func(_ string, r io.Reader) error {
		all, err := io.ReadAll(r)
		if o.Has("c") {
			cut := max(0, len(all)-n)
			if from {
				cut = min(len(all), max(0, n-1))
			}
			p.Print(string(all[cut:]))
			return err
		}
		parts := bytes.SplitAfter(all, []byte("\n"))
		if len(parts) > 0 && len(parts[len(parts)-1]) == 0 {
			parts = parts[:len(parts)-1]
		}
		cut := max(0, len(parts)-n)
		if from {
			cut = min(len(parts), max(0, n-1))
		}
		p.Print(string(bytes.Join(parts[cut:], nil)))
		return err
	})
	if o.Has("f") || o.Has("F") {
		return follow(ctx, p, o.Args)
	}
	return code
}

func wc(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "l,lines w,words c,bytes m,chars L,max-line-length", option.GNU)
	if !ok {
		return usage
	}
	all := !o.Has("l") && !o.Has("w") && !o.Has("c") && !o.Has("m") && !o.Has("L")
	var total [3]int
	show := func(n [3]int, name string) {
		var cols []string
		for i, key := range []string{"l", "w", "c"} {
			if all || o.Has(key) || key == "c" && o.Has("m") {
				cols = append(cols, strconv.Itoa(n[i]))
			}
		}
		line := strings.Join(cols, " ")
		if all {
			line = fmt.Sprintf("%7d %7d %7d", n[0], n[1], n[2])
		}
		if name != "-" {
			line += " " + name
		}
		p.Print(line + "\n")
	}
	code := inputs(p, o.Args, func(name string, r io.Reader) error {
		text, err := io.ReadAll(r)
		n := [3]int{bytes.Count(text, []byte("\n")), len(bytes.Fields(text)), len(text)}
		for i := range n {
			total[i] += n[i]
		}
		if err == nil {
			show(n, name)
		}
		return err
	})
	if len(o.Args) > 1 {
		show(total, "total")
	}
	return code
}

func tee(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "a,append i p", option.GNU)
	if !ok {
		return usage
	}
	flag := os.O_TRUNC
	if o.Has("a") {
		flag = os.O_APPEND
	}
	code := 0
	writers := []io.Writer{p.Stdout()}
	for _, name := range o.Args {
		f, err := p.Open(name, os.O_WRONLY|os.O_CREATE|flag, 0o666)
		if err != nil {
			p.Errorf("tee: %s: %s", name, guest.Reason(err))
			code = 1
			continue
		}
		defer f.Close()
		writers = append(writers, f)
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := p.Stdin().Read(buf)
		for i, w := range writers {
			if _, werr := w.Write(buf[:n]); werr != nil && n > 0 {
				if i > 0 {
					p.Errorf("tee: %s: %s", o.Args[i-1], guest.Reason(werr))
				}
				code = 1
			}
		}
		if errors.Is(err, io.EOF) {
			return code
		}
		if err != nil || p.Context().Err() != nil {
			return 1
		}
	}
}

func seq(_ context.Context, p *guest.Process) int {
	args := p.Args[1:]
	sep, width := "\n", false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && (len(args[0]) < 2 || args[0][1] < '0' || args[0][1] > '9') {
		switch {
		case args[0] == "-s" && len(args) > 1:
			sep = args[1]
			args = args[1:]
		case strings.HasPrefix(args[0], "-s") && len(args[0]) > 2:
			sep = args[0][2:]
		case args[0] == "-w":
			width = true
		default:
			return p.Fail(1, "unrecognized option '%s' (the simulator's model of this command does not have it)", args[0])
		}
		args = args[1:]
	}
	first, step, last := 1, 1, 0
	var n [3]int
	for i, a := range args {
		v, err := strconv.Atoi(a)
		if err != nil || i > 2 {
			return p.Fail(1, "invalid floating point argument: ‘%s’", a)
		}
		n[i] = v
	}
	switch len(args) {
	case 1:
		last = n[0]
	case 2:
		first, last = n[0], n[1]
	case 3:
		first, step, last = n[0], n[1], n[2]
	default:
		return p.Fail(1, "missing operand")
	}
	if step == 0 {
		return p.Fail(1, "invalid Zero increment value: ‘0’")
	}
	var out []string
	for i := first; step > 0 && i <= last || step < 0 && i >= last; i += step {
		if width {
			out = append(out, fmt.Sprintf("%0*d", len(strconv.Itoa(last)), i))
		} else {
			out = append(out, strconv.Itoa(i))
		}
	}
	if len(out) > 0 {
		p.Print(strings.Join(out, sep) + "\n")
	}
	return 0
}

func base64Text(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "d,decode w,wrap: i,ignore-garbage", option.GNU)
	if !ok {
		return usage
	}
	wrap, err := strconv.Atoi(o.Or("w", "76"))
	if err != nil {
		return p.Fail(1, "invalid wrap size: ‘%s’", o.Value("w"))
	}
	return inputs(p, o.Args, func(_ string, r io.Reader) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if o.Has("d") {
			text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(data)), ""))
			p.Print(string(text))
			if err != nil {
				return errors.New("invalid input")
			}
			return nil
		}
		text := base64.StdEncoding.EncodeToString(data)
		if wrap <= 0 {
			p.Print(text)
			return nil
		}
		for len(text) > 0 {
			n := min(wrap, len(text))
			p.Print(text[:n] + "\n")
			text = text[n:]
		}
		return nil
	})
}

func checksum(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "c,check b,binary t,text s,status q,quiet ignore-missing strict w,warn", option.GNU)
	if !ok {
		return usage
	}
	sums := map[string]func() hash.Hash{"sha256sum": sha256.New, "md5sum": md5.New, "sha1sum": sha1.New, "sha512sum": sha512.New}
	newHash := sums[p.Exe]
	sum := func(r io.Reader) (string, error) {
		h := newHash()
		_, err := io.Copy(h, struct{ io.Reader }{r})
		return hex.EncodeToString(h.Sum(nil)), err
	}
	if !o.Has("c") {
		return inputs(p, o.Args, func(name string, r io.Reader) error {
			s, err := sum(r)
			if err == nil {
				p.Printf("%s  %s\n", s, name)
			}
			return err
		})
	}
	bad, checked := 0, 0
	list, code := gather(p, o.Args)
	for _, line := range list {
		want, name, ok := strings.Cut(line, " ")
		if !ok {
			continue
		}
		name = strings.TrimLeft(name, " *")
		f, err := p.Open(name, os.O_RDONLY, 0)
		if err != nil {
			if !o.Has("ignore-missing") {
				p.Errorf("%s: %s: %s", p.Exe, name, guest.Reason(err))
				p.Printf("%s: FAILED open or read\n", name)
				bad++
			}
			continue
		}
		got, err := sum(f)
		f.Close()
		checked++
		switch {
		case err != nil || got != want:
			bad++
			if !o.Has("s") {
				p.Printf("%s: FAILED\n", name)
			}
		case !o.Has("q") && !o.Has("s"):
			p.Printf("%s: OK\n", name)
		}
	}
	if bad > 0 && !o.Has("s") {
		p.Errorf("%s: WARNING: %d computed checksum did NOT match", p.Exe, bad)
	}
	if checked == 0 && bad == 0 {
		p.Errorf("%s: no file was verified", p.Exe)
		return 1
	}
	return max(code, b2i(bad > 0))
}
