package shell

import (
	"io/fs"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"

	"podium/provision/machine/sim/guest"
)

// Test is test(1): the arguments without the name and the closing bracket. code is 0, 1, or 2 with a message.
func Test(p *guest.Process, args []string, isSet func(string) bool) (code int, message string) {
	t := &tester{p: p, args: args, isSet: isSet}
	defer func() {
		if r := recover(); r != nil {
			bad, ok := r.(testError)
			if !ok {
				panic(r)
			}
			code, message = 2, string(bad)
		}
	}()
	if len(args) == 0 {
		return 1, ""
	}
	ok := t.or()
	if len(t.args) > 0 {
		return 2, "too many arguments"
	}
	if ok {
		return 0, ""
	}
	return 1, ""
}

type testError string

type tester struct {
	p     *guest.Process
	args  []string
	isSet func(string) bool
}

func (t *tester) or() bool {
	ok := t.and()
	for len(t.args) > 0 && t.args[0] == "-o" {
		t.args = t.args[1:]
		right := t.and()
		ok = ok || right
	}
	return ok
}

func (t *tester) and() bool {
	ok := t.term()
	for len(t.args) > 0 && t.args[0] == "-a" {
		t.args = t.args[1:]
		right := t.term()
		ok = ok && right
	}
	return ok
}

func (t *tester) term() bool {
	if len(t.args) == 0 {
		panic(testError("argument expected"))
	}
	a := t.args
	if len(a) >= 3 && isBinary(a[1]) && (a[0] != "!" || len(a) == 3) {
		t.args = a[3:]
		return t.binary(a[0], a[1], a[2])
	}
	switch {
	case a[0] == "!" && len(a) > 1:
		t.args = a[1:]
		return !t.term()
	case a[0] == "(" && len(a) > 1:
		t.args = a[1:]
		ok := t.or()
		if len(t.args) == 0 || t.args[0] != ")" {
			panic(testError("`)' expected"))
		}
		t.args = t.args[1:]
		return ok
	case len(a) >= 2 && isUnary(a[0]) && (len(a) == 2 || !isBinary(a[1])):
		t.args = a[2:]
		return Unary(t.p, a[0], a[1], t.isSet)
	case len(a) == 2:
		panic(testError(a[0] + ": unary operator expected"))
	}
	t.args = a[1:]
	return a[0] != ""
}

func isUnary(op string) bool {
	return len(op) == 2 && op[0] == '-' && strings.ContainsRune("abcdefghknoprstuvwxzGLNORS", rune(op[1]))
}

func isBinary(op string) bool {
	switch op {
	case "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef":
		return true
	}
	return false
}

func (t *tester) binary(x, op, y string) bool {
	switch op {
	case "=", "==":
		return x == y
	case "!=":
		return x != y
	case "<":
		return x < y
	case ">":
		return x > y
	case "-nt", "-ot", "-ef":
		return compareFiles(t.p, x, op, y)
	}
	return compareNumbers(t.number(x), op, t.number(y))
}

func (t *tester) number(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		panic(testError(s + ": integer expression expected"))
	}
	return n
}

func compareNumbers(x int64, op string, y int64) bool {
	switch op {
	case "-eq":
		return x == y
	case "-ne":
		return x != y
	case "-lt":
		return x < y
	case "-le":
		return x <= y
	case "-gt":
		return x > y
	default:
		return x >= y
	}
}

func compareFiles(p *guest.Process, x, op, y string) bool {
	files, cred := p.Files()
	a, errA := files.Stat(cred, p.Path(x))
	b, errB := files.Stat(cred, p.Path(y))
	switch op {
	case "-ef":
		return errA == nil && errB == nil && a.Ino == b.Ino
	case "-ot":
		a, b, errA, errB = b, a, errB, errA
	}
	return errA == nil && (errB != nil || a.ModTime().After(b.ModTime()))
}

// Unary is a test with one operand.
func Unary(p *guest.Process, op, x string, isSet func(string) bool) bool {
	switch op {
	case "-n":
		return x != ""
	case "-z":
		return x == ""
	case "-v":
		return isSet != nil && isSet(x)
	case "-t":
		return p.TTY()
	case "-o":
		return false
	}
	files, cred := p.Files()
	if x == "" {
		return false
	}
	if fd, ok := strings.CutPrefix(x, "/dev/fd/"); ok {
		n, err := strconv.Atoi(fd)
		return err == nil && p.HasFD(n)
	}
	path := p.Path(x)
	if op == "-h" || op == "-L" {
		info, err := files.Lstat(cred, path)
		return err == nil && info.Mode()&fs.ModeSymlink != 0
	}
	info, err := files.Stat(cred, path)
	if err != nil {
		return false
	}
	mode := info.Mode()
	switch op {
	case "-a", "-e":
		return true
	case "-f":
		return mode.IsRegular()
	case "-d":
		return mode.IsDir()
	case "-s":
		return info.Size() > 0
	case "-r":
		return files.Access(cred, path, 4) == nil
	case "-w":
		return files.Access(cred, path, 2) == nil
	case "-x":
		return files.Access(cred, path, 1) == nil
	case "-b":
		return mode&fs.ModeDevice != 0 && mode&fs.ModeCharDevice == 0
	case "-c":
		return mode&fs.ModeCharDevice != 0
	case "-p":
		return mode&fs.ModeNamedPipe != 0
	case "-S":
		return mode&fs.ModeSocket != 0
	case "-k":
		return mode&fs.ModeSticky != 0
	case "-u":
		return mode&fs.ModeSetuid != 0
	case "-g":
		return mode&fs.ModeSetgid != 0
	case "-O":
		return info.UID == cred.UID
	case "-G":
		return info.GID == cred.GID
	}
	return false
}

func builtinTest(s *Shell, args []string) int {
	name := args[0]
	args = args[1:]
	if name == "[" {
		if len(args) == 0 || args[len(args)-1] != "]" {
			s.errorf("[: missing `]'")
			return 2
		}
		args = args[:len(args)-1]
	}
	code, message := Test(s.p, args, s.isSet)
	if message != "" {
		s.errorf("%s: %s", name, message)
	}
	return code
}

func (s *Shell) isSet(name string) bool {
	if base, sub, ok := strings.Cut(name, "["); ok {
		vr := environ{s}.Get(base)
		sub = strings.TrimSuffix(sub, "]")
		if vr.Kind == expand.Associative {
			_, ok := vr.Map[sub]
			return ok
		}
		n, err := strconv.Atoi(sub)
		arr := sparse{}
		arr.load(vr)
		_, ok := arr[n]
		return err == nil && ok
	}
	return environ{s}.Get(name).IsSet()
}

// Error is the message.
func (e testError) Error() string { return string(e) }
