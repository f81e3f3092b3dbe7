package command

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

const defaultDisk = 64 << 30

func diskUsage(p *guest.Process) (used, size int64) {
	used, size = p.FS().Usage()
	if size == 0 {
		size = max(defaultDisk, 2*used)
	}
	return used, size
}

func df(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "h,human-readable k m P,portability T,print-type B,block-size: output? i,inodes a,all l,local", option.GNU)
	if !ok {
		return usage
	}
	used, size := diskUsage(p)
	unit, suffix := int64(1024), "1K"
	switch {
	case o.Has("m"):
		unit, suffix = 1<<20, "1M"
	case o.Has("B"):
		n, err := parseSize(strings.TrimSuffix("1"+strings.TrimLeft(o.Value("B"), "1"), ""))
		if err != nil {
			return p.Fail(1, "invalid --block-size argument '%s'", o.Value("B"))
		}
		unit, suffix = n, o.Value("B")
	}
	show := func(n int64) string {
		if o.Has("h") {
			return human(n)
		}
		return strconv.FormatInt((n+unit-1)/unit, 10)
	}
	avail := max(size-used, 0)
	percent := strconv.FormatInt((used*100+size-1)/size, 10) + "%"
	if o.Has("output") {
		var head, row []string
		for col := range strings.SplitSeq(o.Value("output"), ",") {
			values := map[string][2]string{
				"source": {"Filesystem", "/dev/sda1"}, "fstype": {"Type", "ext4"}, "size": {suffix + "-blocks", show(size)}, "used": {"Used", show(used)},
				"avail": {"Avail", show(avail)}, "pcent": {"Use%", percent}, "target": {"Mounted on", "/"},
			}
			v, ok := values[col]
			if !ok {
				return p.Fail(usage, "the simulator's model has no column '%s'", col)
			}
			head, row = append(head, v[0]), append(row, v[1])
		}
		p.Printf("%s\n%s\n", strings.Join(head, " "), strings.Join(row, " "))
		return 0
	}
	for _, name := range o.Args {
		if _, err := p.FS().Stat(p.Cred, p.Path(name)); err != nil {
			return p.Fail(1, "%s: %s", name, guest.Reason(err))
		}
	}
	p.Printf("Filesystem     %s-blocks      Used Available Use%% Mounted on\n", suffix)
	p.Printf("/dev/sda1      %9s %9s %9s %4s /\n", show(size), show(used), show(avail), percent)
	return 0
}

func du(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "s,summarize h,human-readable k m b,bytes a,all c,total d,max-depth: x,one-file-system", option.GNU)
	if !ok {
		return usage
	}
	files, cred := p.Files()
	names := o.Args
	if len(names) == 0 {
		names = []string{"."}
	}
	for _, name := range names {
		var total int64
		err := each(p, p.Path(name), true, func(file string) error {
			info, err := files.Lstat(cred, file)
			if err == nil {
				total += (info.Size() + 4095) / 4096 * 4096
			}
			return err
		})
		if err != nil {
			return p.Fail(1, "cannot access '%s': %s", name, guest.Reason(err))
		}
		switch {
		case o.Has("h"):
			p.Printf("%s\t%s\n", human(total), name)
		case o.Has("b"):
			p.Printf("%d\t%s\n", total, name)
		case o.Has("m"):
			p.Printf("%d\t%s\n", (total+1<<20-1)>>20, name)
		default:
			p.Printf("%d\t%s\n", total/1024, name)
		}
	}
	return 0
}

func dd(ctx context.Context, p *guest.Process) int {
	in, out := "/dev/stdin", "/dev/stdout"
	bs, count := int64(512), int64(-1)
	quiet := false
	flag := os.O_TRUNC
	for _, arg := range p.Args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		var err error
		switch key {
		case "if":
			in = value
		case "of":
			out = value
		case "bs":
			bs, err = parseSize(value)
		case "count":
			count, err = parseSize(value)
		case "status":
			quiet = value == "none"
		case "conv", "oflag", "iflag":
			if strings.Contains(value, "notrunc") {
				flag = 0
			}
		default:
			return p.Fail(1, "unrecognized operand ‘%s’ (the simulator's model of this command does not have it)", arg)
		}
		if err != nil {
			return p.Fail(1, "invalid number: ‘%s’", value)
		}
	}
	r, err := p.Open(in, os.O_RDONLY, 0)
	if err != nil {
		return p.Fail(1, "failed to open '%s': %s", in, guest.Reason(err))
	}
	defer r.Close()
	w, err := p.Open(out, os.O_WRONLY|os.O_CREATE|flag, 0o666)
	if err != nil {
		return p.Fail(1, "failed to open '%s': %s", out, guest.Reason(err))
	}
	defer w.Close()
	buf := make([]byte, min(bs, 1<<20))
	var total, blocks int64
	for blocks = 0; (count < 0 || total < count*bs) && ctx.Err() == nil; blocks++ {
		b := buf
		if rest := count*bs - total; count >= 0 && rest < int64(len(b)) {
			b = b[:rest]
		}
		n, err := r.Read(b)
		if n > 0 {
			if _, werr := w.Write(b[:n]); werr != nil {
				return p.Fail(1, "error writing '%s': %s", out, guest.Reason(werr))
			}
			total += int64(n)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return p.Fail(1, "error reading '%s': %s", in, guest.Reason(err))
		}
	}
	if !quiet {
		p.Errorf("%d+0 records in\n%d+0 records out\n%d bytes copied", total/bs, total/bs, total)
	}
	return 0
}

func fallocate(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "l,length:", option.GNU)
	if !ok {
		return usage
	}
	size, err := parseSize(o.Value("l"))
	if err != nil || len(o.Args) != 1 {
		return p.Fail(1, "no length argument specified")
	}
	f, err := p.FS().Open(p.Cred, p.Path(o.Args[0]), os.O_WRONLY|os.O_CREATE, 0o666)
	if err == nil {
		err = f.Truncate(size)
		f.Close()
	}
	if err != nil {
		return p.Fail(1, "fallocate failed: %s", guest.Reason(err))
	}
	return 0
}

func mountpoint(_ context.Context, p *guest.Process) int {
	o, ok := option.Parse(p, "q,quiet d,fs-devno", option.GNU)
	if !ok {
		return usage
	}
	if len(o.Args) != 1 {
		return p.Fail(1, "bad usage")
	}
	dir := vfs.Clean(p.Dir, o.Args[0])
	is := dir == "/" || dir == "/proc" || dir == "/sys" || dir == "/run" || dir == "/tmp" || dir == "/dev/shm"
	if !o.Has("q") {
		text := " is not a mountpoint"
		if is {
			text = " is a mountpoint"
		}
		p.Print(o.Args[0] + text + "\n")
	}
	return 1 - b2i(is)
}
