package command

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"podium/provision/machine/sim/guest"
)

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
