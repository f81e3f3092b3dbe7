package guest

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"podium/provision/machine/sim/vfs"
)

// magic begins the content of every simulated executable; the program's name follows.
const magic = "\x7fELF\x02\x01\x01 podium simulated program "

// Executable is the content of a file that runs the named program. version may be empty.
func Executable(program, version string) string {
	return strings.TrimSpace(magic+program+" "+version) + "\n"
}

// ProgramOf returns the name and version of the program that a file's content stands for.
func ProgramOf(content string) (name, version string, ok bool) {
	rest, ok := strings.CutPrefix(content, magic)
	if !ok {
		return "", "", false
	}
	line, _, _ := strings.Cut(rest, "\n")
	name, version, _ = strings.Cut(line, " ")
	return name, version, true
}

// DefaultPath is where commands are looked for when PATH is not set.
const DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// LookPath finds a command in PATH, or checks a path with a slash.
func (p *Process) LookPath(name string) (string, bool) {
	path, ok := p.LookupEnv("PATH")
	if !ok {
		path = DefaultPath
	}
	return p.LookIn(path, name)
}

// LookIn finds a command in a list of directories with colons between.
func (p *Process) LookIn(path, name string) (string, bool) {
	if name == "" {
		return "", false
	}
	if strings.Contains(name, "/") {
		return name, p.executable(p.Path(name))
	}
	var room [12]string
	dirs := room[:0]
	for dir := range strings.SplitSeq(path, ":") {
		dirs = append(dirs, strings.TrimSuffix(p.Path(dir), "/"))
	}
	return p.FS().Program(p.Cred, dirs, name)
}

func (p *Process) executable(path string) bool {
	info, err := p.FS().Stat(p.Cred, path)
	return err == nil && info.Mode().IsRegular() && p.FS().Access(p.Cred, path, 1) == nil
}

// ExecError is why a command could not be run; Code is the shell's exit code for it.
type ExecError struct {
	Name   string
	Reason string
	Code   int
}

// Error is worded as bash words it, without the leading "bash: ".
func (e *ExecError) Error() string { return e.Name + ": " + e.Reason }

// Load finds what args run: the program, and the arguments it gets, which differ from args for a script.
func (p *Process) Load(args []string) (Program, []string, error) {
	path, ok := p.LookPath(args[0])
	if !ok {
		return nil, nil, p.whyNot(args[0])
	}
	return p.load(path, args, 0)
}

func (p *Process) whyNot(name string) error {
	if !strings.Contains(name, "/") {
		return &ExecError{name, "command not found", 127}
	}
	info, err := p.FS().Stat(p.Cred, p.Path(name))
	switch {
	case err != nil:
		code := 127
		if errors.Is(err, fs.ErrPermission) {
			code = 126
		}
		return &ExecError{name, Reason(err), code}
	case info.IsDir():
		return &ExecError{name, "Is a directory", 126}
	}
	return &ExecError{name, "Permission denied", 126}
}

func (p *Process) load(path string, args []string, depth int) (Program, []string, error) {
	root := p.Cred
	root.UID = 0 // an executable file need not be readable
	content, err := p.FS().ReadFile(root, p.Path(path))
	if err != nil {
		return nil, nil, &ExecError{args[0], Reason(err), 126}
	}
	if name, version, ok := ProgramOf(content); ok {
		run := p.Machine().Programs[name]
		if run == nil {
			return nil, nil, &ExecError{args[0], "the simulator has no model of this program (" + name + ")", 126}
		}
		p.Exe, p.Version = name, version
		return run, args, nil
	}
	if line, ok := strings.CutPrefix(content, "#!"); ok && depth < 4 {
		line, _, _ = strings.Cut(line, "\n")
		interp, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
		next := []string{interp}
		if arg = strings.TrimSpace(arg); arg != "" {
			next = append(next, arg)
		}
		next = append(append(next, path), args[1:]...)
		if !p.executable(interp) {
			return nil, nil, &ExecError{args[0], "cannot execute: required file not found", 127}
		}
		return p.load(interp, next, depth+1)
	}
	if strings.ContainsRune(content, 0) || strings.HasPrefix(content, "\x7fELF") {
		return nil, nil, &ExecError{args[0], "cannot execute binary file: Exec format error", 126}
	}
	return p.load("/bin/sh", append([]string{"sh", path}, args[1:]...), depth+1)
}

// Exec replaces the program of this process, as execve(2) does, and returns its exit code.
func (p *Process) Exec(ctx context.Context, args []string) int {
	run, args, err := p.Load(args)
	if err != nil {
		p.Errorf("bash: %v", err)
		var e *ExecError
		errors.As(err, &e)
		return e.Code
	}
	return p.Become(ctx, run, args)
}

// Become runs a loaded program in this process.
func (p *Process) Become(ctx context.Context, run Program, args []string) int {
	p.OnSignal(nil)
	p.Args = args
	p.show()
	m := p.Machine()
	if m.Faults == nil {
		return run(ctx, p)
	}
	took, until, err := m.Faults.Before(ctx, m, args)
	if err != nil {
		if ctx.Err() == nil {
			p.Errorf("%v", err)
		}
		return 1
	}
	// Half of the time passes before the work, half after it, or where the program says that its work is half done: there
	// a program that is cut off leaves something behind.
	if sleep(ctx, took/2) != nil {
		return 1
	}
	p.rest = took - took/2
	code := run(ctx, p)
	if p.Midway() != nil {
		return 1
	}
	if until == nil {
		return code
	}
	select {
	case <-until:
		return code
	case <-ctx.Done():
		return 1
	}
}

// Midway lets the rest of the program's time pass; an error means that the process is to end.
func (p *Process) Midway() error {
	d := p.rest
	p.rest = 0
	return sleep(p.ctx, d)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Spawn runs a command as a child, with the caller's descriptors, and waits for it.
func (p *Process) Spawn(args []string, change func(*Process)) int {
	child, err := p.Fork(change, func(ctx context.Context, c *Process) int { return c.Exec(ctx, args) })
	if err != nil {
		return 126
	}
	return p.Wait(child)
}

// Capture runs a command as a child and returns what it wrote to standard output.
func (p *Process) Capture(args ...string) (string, int) {
	r, w := Pipe()
	child, err := p.Fork(func(c *Process) { c.SetFile(1, w) }, func(ctx context.Context, c *Process) int { return c.Exec(ctx, args) })
	if err != nil {
		return "", 126
	}
	var out []byte
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(p.ctx, buf)
		out = append(out, buf[:n]...)
		if err != nil {
			break
		}
	}
	r.Close()
	return string(out), p.Wait(child)
}

// Files is the machine's filesystem with the rights of the process.
func (p *Process) Files() (*vfs.FS, vfs.Cred) { return p.Kernel.Machine.FS, p.Cred }
