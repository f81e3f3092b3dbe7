package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func texts() guest.Programs {
	return guest.Programs{
		"cat": cat, "head": head, "tail": tail, "wc": wc, "sort": sortLines, "cut": cut, "tee": tee,
		"base64": base64Text, "sha256sum": checksum,
		"paste": paste,
	}
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
	o, ok := option.Parse(p, "u", option.GNU)
	if !ok {
		return usage
	}
	return inputs(p, o.Args, func(_ string, r io.Reader) error {
		_, err := io.Copy(struct{ io.Writer }{p.Stdout()}, struct{ io.Reader }{r})
		return err
	})
}

func wc(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "l,lines w,words c,bytes", option.GNU)
	if !ok {
		return usage
	}
	return inputs(p, o.Args, func(name string, r io.Reader) error {
		text, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		n := []int{bytes.Count(text, []byte("\n")), len(bytes.Fields(text)), len(text)}
		var cols []string
		for i, key := range []string{"l", "w", "c"} {
			if o.Has(key) {
				cols = append(cols, strconv.Itoa(n[i]))
			}
		}
		line := strings.Join(cols, " ")
		if cols == nil {
			line = fmt.Sprintf("%7d %7d %7d", n[0], n[1], n[2])
		}
		if name != "-" {
			line += " " + name
		}
		p.Print(line + "\n")
		return nil
	})
}

func tee(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "i", option.GNU)
	if !ok {
		return usage
	}
	code := 0
	writers := []io.Writer{p.Stdout()}
	for _, name := range o.Args {
		f, err := p.Open(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
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

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
