package shell

import (
	"fmt"
	"path"
	"slices"

	"mvdan.cc/sh/v3/expand"

	"podium/provision/machine/sim/guest"
)

func builtinCd(s *Shell, args []string) int {
	args = args[1:]
	for len(args) > 0 && (args[0] == "-P" || args[0] == "-L" || args[0] == "--") {
		args = args[1:]
	}
	to := s.get("HOME")
	if len(args) > 0 {
		to = args[0]
	}
	if len(args) > 1 {
		s.errorf("cd: too many arguments")
		return 1
	}
	if to == "-" {
		to = s.get("OLDPWD")
		fmt.Fprintln(s.p.Stdout(), to)
	}
	dir := path.Clean(s.p.Path(to))
	files, cred := s.p.Files()
	info, err := files.Stat(cred, s.p.Path(to))
	if err == nil && !info.IsDir() {
		s.errorf("cd: %s: Not a directory", to)
		return 1
	}
	if err == nil {
		err = files.Access(cred, dir, 1)
	}
	if err != nil {
		s.errorf("cd: %s: %s", to, guest.Reason(err))
		return 1
	}
	exported := expand.Variable{Set: true, Exported: true, Kind: expand.String}
	old := exported
	old.Str = s.p.Dir
	exported.Str = dir
	s.setVar("OLDPWD", old)
	s.setVar("PWD", exported)
	s.p.Dir = dir
	return 0
}

func builtinPwd(s *Shell, args []string) int {
	dir := s.p.Dir
	if slices.Contains(args[1:], "-P") {
		if real, err := s.p.FS().Resolve(s.p.Cred, dir); err == nil {
			dir = real
		}
	}
	fmt.Fprintln(s.p.Stdout(), dir)
	return 0
}
