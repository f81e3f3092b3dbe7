package command

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
)

func head(_ context.Context, p *guest.Process) int {
	p.Args = oldCount(p.Args)
	o, ok := option.Parse(p, "n,lines: c,bytes: q,quiet", option.GNU)
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
	o, ok := option.Parse(p, "n,lines: c,bytes: f,follow? F q,quiet", option.GNU)
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
