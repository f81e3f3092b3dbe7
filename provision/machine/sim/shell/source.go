package shell

import (
	"errors"
	"io"
	"strings"

	"podium/provision/machine/sim/guest"
)

// eval runs text in this shell.
func (s *Shell) eval(text string) int {
	file, err := s.cache.parse(text, s.name, s.posix)
	if err != nil {
		s.errorf("eval: %s", syntaxError(err))
		s.status = 1
		return 1
	}
	inPlace := s.inPlace
	s.inPlace = false
	if len(file.Stmts) == 0 {
		s.status = 0
	}
	s.stmts(file.Stmts)
	s.inPlace = inPlace
	return s.status
}

func builtinSource(s *Shell, args []string) int {
	if len(args) < 2 {
		s.errorf("%s: filename argument required", args[0])
		return 2
	}
	name := args[1]
	file := name
	if !strings.Contains(name, "/") {
		for dir := range strings.SplitSeq(s.get("PATH"), ":") {
			if info, err := s.p.FS().Stat(s.p.Cred, s.p.Path(dir+"/"+name)); err == nil && info.Mode().IsRegular() {
				file = dir + "/" + name
				break
			}
		}
	}
	f, err := s.p.Open(file, 0, 0)
	var text []byte
	if err == nil {
		text, err = io.ReadAll(f)
		f.Close()
	}
	if err != nil {
		s.errorf("%s: %s", name, guest.Reason(err))
		if s.posix {
			s.leave = leaveShell
		}
		return 1
	}
	prog, err := s.cache.parse(string(text), file, s.posix)
	if err != nil {
		s.errorf("%s", syntaxError(err))
		return 1
	}
	params := s.params
	if len(args) > 2 {
		s.params = args[2:]
	}
	s.files = append(s.files[:len(s.files):len(s.files)], file)
	s.status = 0
	s.stmts(prog.Stmts)
	s.files = s.files[:len(s.files)-1]
	if len(args) > 2 {
		s.params = params
	}
	if s.leave == leaveFunction {
		s.leave = stay
	}
	return s.status
}

func builtinExec(s *Shell, args []string) int {
	args = args[1:]
	if len(args) == 0 {
		return 0 // its redirections stay
	}
	name := ""
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-a":
			if len(args) > 1 {
				name = args[1]
				args = args[1:]
			}
		case "-c", "-l":
		case "--":
		default:
			s.errorf("exec: %s: invalid option", args[0])
			return 2
		}
		args = args[1:]
		if len(args) == 0 {
			return 0
		}
	}
	s.p.Env = s.environment()
	run, full, err := s.p.Load(args)
	if err != nil {
		s.errorf("exec: %v", strings.Replace(err.Error(), "command not found", "not found", 1))
		s.leave = leaveShell
		if e, ok := errors.AsType[*guest.ExecError](err); ok {
			return e.Code
		}
		return 126
	}
	if name != "" {
		full = append([]string{name}, full[1:]...)
	}
	s.leave = leaveShell
	s.traps = nil
	return s.p.Become(s.ctx, run, full)
}
