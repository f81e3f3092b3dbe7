package shell

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

type builtinFunc func(s *Shell, args []string) int

// builtin finds a command that the shell carries out itself, nil if it has none of that name.
func builtin(name string) builtinFunc {
	switch name {
	case ":", "true":
		return func(*Shell, []string) int { return 0 }
	case "false":
		return func(*Shell, []string) int { return 1 }
	case "echo":
		return builtinEcho
	case "printf":
		return builtinPrintf
	case "test", "[":
		return builtinTest
	case "cd":
		return builtinCd
	case "pwd":
		return builtinPwd
	case "exit", "logout":
		return builtinExit
	case "return":
		return builtinReturn
	case "break", "continue":
		return builtinBreak
	case "shift":
		return builtinShift
	case "set":
		return builtinSet
	case "shopt":
		return builtinShopt
	case "unset":
		return builtinUnset
	case "export", "readonly", "local":
		return builtinDeclare
	case "eval":
		return func(s *Shell, args []string) int { return s.eval(strings.Join(args[1:], " ")) }
	case "source", ".":
		return builtinSource
	case "exec":
		return builtinExec
	case "command":
		return builtinCommand
	case "builtin":
		return builtinBuiltin
	case "hash":
		return func(*Shell, []string) int { return 0 }
	case "enable", "getopts", "disown", "fg", "bg", "jobs", "ulimit", "alias", "unalias", "caller", "type", "times":
		return func(s *Shell, args []string) int { return s.unsimulated(args[0]) }
	case "read":
		return builtinRead
	case "mapfile", "readarray":
		return builtinMapfile
	case "trap":
		return builtinTrap
	case "wait":
		return builtinWait
	case "kill":
		return builtinKill
	case "umask":
		return builtinUmask
	}
	return nil
}

func builtinExit(s *Shell, args []string) int {
	code := s.status
	if len(args) > 1 {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			s.errorf("%s: %s: numeric argument required", args[0], args[1])
			n = 2
		}
		code = n & 0xff
	}
	s.leave = leaveShell
	return code
}

func builtinReturn(s *Shell, args []string) int {
	if len(s.calls) == 0 && len(s.files) == 0 {
		s.errorf("return: can only `return' from a function or sourced script")
		return 2
	}
	code := s.status
	if len(args) > 1 {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			s.errorf("return: %s: numeric argument required", args[1])
			n = 2
		}
		code = n & 0xff
	}
	s.leave = leaveFunction
	return code
}

func builtinBreak(s *Shell, args []string) int {
	if s.loops == 0 {
		s.errorf("%s: only meaningful in a `for', `while', or `until' loop", args[0])
		return 0
	}
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil || n < 1 {
			s.errorf("%s: %s: loop count out of range", args[0], args[1])
			return 1
		}
	}
	s.leave, s.leaveDepth = leaveLoop, min(n, s.loops)
	if args[0] == "continue" {
		s.leave = leaveRound
	}
	return 0
}

func builtinShift(s *Shell, args []string) int {
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil || n < 0 {
			s.errorf("shift: %s: numeric argument required", args[1])
			return 1
		}
	}
	if n > len(s.params) {
		return 1
	}
	s.params = s.params[n:]
	return 0
}

func builtinBuiltin(s *Shell, args []string) int {
	if len(args) < 2 {
		return 0
	}
	b := builtin(args[1])
	if b == nil {
		s.errorf("builtin: %s: not a shell builtin", args[1])
		return 1
	}
	return b(s, args[1:])
}

func builtinUmask(s *Shell, args []string) int {
	args = args[1:]
	if len(args) > 0 && args[0] == "-S" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintf(s.p.Stdout(), "%04o\n", uint32(s.p.Cred.Umask))
		return 0
	}
	n, err := strconv.ParseUint(args[0], 8, 12)
	if err != nil {
		s.errorf("umask: %s: octal number out of range", args[0])
		return 1
	}
	s.p.Cred.Umask = fs.FileMode(n)
	return 0
}
