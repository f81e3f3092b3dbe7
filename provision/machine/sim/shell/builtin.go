package shell

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
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
	case "type":
		return builtinType
	case "hash", "enable", "disown", "bind", "complete", "compopt", "suspend", "fg", "bg", "history", "times":
		return func(*Shell, []string) int { return 0 }
	case "read":
		return builtinRead
	case "mapfile", "readarray":
		return builtinMapfile
	case "getopts":
		return builtinGetopts
	case "trap":
		return builtinTrap
	case "wait":
		return builtinWait
	case "jobs":
		return builtinJobs
	case "kill":
		return builtinKill
	case "umask":
		return builtinUmask
	case "ulimit":
		return builtinUlimit
	case "alias":
		return builtinAlias
	case "unalias":
		return builtinUnalias
	case "caller":
		return func(s *Shell, _ []string) int {
			fmt.Fprintf(s.p.Stdout(), "%d %s\n", s.line, s.sources()[0])
			return 0
		}
	}
	return nil
}

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

func builtinSet(s *Shell, args []string) int {
	if len(args) == 1 {
		var lines []string
		environ{s}.Each(func(name string, vr expand.Variable) bool {
			if vr.IsSet() {
				lines = append(lines, name+"="+quote(vr.String()))
			}
			return true
		})
		slices.Sort(lines)
		for _, l := range lines {
			fmt.Fprintln(s.p.Stdout(), l)
		}
		return 0
	}
	args = args[1:]
	defer s.configure()
	for len(args) > 0 {
		arg := args[0]
		switch {
		case arg == "--":
			s.params = slices.Clone(args[1:])
			return 0
		case arg == "-":
			s.opts.xtrace = false
			if len(args) > 1 {
				s.params = slices.Clone(args[1:])
			}
			return 0
		case len(arg) > 1 && (arg[0] == '-' || arg[0] == '+'):
			for i := 1; i < len(arg); i++ {
				if arg[i] != 'o' {
					if !s.opts.letter(arg[i], arg[0] == '-') {
						s.errorf("set: -%c: invalid option", arg[i])
						return 2
					}
					continue
				}
				if len(args) < 2 {
					return s.listOptions()
				}
				if !s.opts.set(args[1], arg[0] == '-') {
					s.errorf("set: %s: invalid option name", args[1])
					return 2
				}
				args = args[1:]
			}
		default:
			s.params = slices.Clone(args)
			return 0
		}
		args = args[1:]
	}
	return 0
}

func (s *Shell) listOptions() int {
	for _, name := range []string{"allexport", "errexit", "errtrace", "monitor", "noclobber", "noexec", "noglob", "nounset", "pipefail", "xtrace"} {
		state := "off"
		if *s.opts.byName(name) {
			state = "on"
		}
		fmt.Fprintf(s.p.Stdout(), "%-15s\t%s\n", name, state)
	}
	return 0
}

func builtinShopt(s *Shell, args []string) int {
	mode := ""
	code := 0
	for _, arg := range args[1:] {
		switch {
		case strings.HasPrefix(arg, "-"):
			mode += arg[1:]
		case strings.Contains(mode, "o"):
			if !s.opts.set(arg, strings.Contains(mode, "s")) {
				s.errorf("shopt: %s: invalid option name", arg)
				code = 1
			}
		default:
			p := s.opts.shopt(arg)
			switch {
			case p == nil:
				s.errorf("shopt: %s: invalid shell option name, or one the simulator does not know", arg)
				code = 1
			case strings.Contains(mode, "s"):
				*p = true
			case strings.Contains(mode, "u"):
				*p = false
			case !*p:
				code = 1
			}
		}
	}
	s.configure()
	return code
}

func builtinUnset(s *Shell, args []string) int {
	vars, funcs := true, true
	code := 0
	for _, arg := range args[1:] {
		switch arg {
		case "-v":
			funcs = false
			continue
		case "-f":
			vars = false
			continue
		case "-n":
			continue
		}
		if name, sub, ok := strings.Cut(arg, "["); ok && vars {
			s.unsetElement(name, strings.TrimSuffix(sub, "]"))
			continue
		}
		if sc := s.vars.find(arg); vars && sc != nil {
			old := sc.vars[arg]
			if old.ReadOnly {
				s.errorf("unset: %s: cannot unset: readonly variable", arg)
				code = 1
				continue
			}
			if old.Local {
				sc.vars[arg] = expand.Variable{Local: true}
			} else {
				delete(sc.vars, arg)
			}
			s.envCache = nil
			continue
		}
		if _, ok := s.funcs[arg]; funcs && ok {
			rest := make(map[string]*syntax.Stmt, len(s.funcs))
			for name, body := range s.funcs {
				if name != arg {
					rest[name] = body
				}
			}
			s.funcs = rest
		}
	}
	return code
}

func (s *Shell) unsetElement(name, sub string) {
	vr := environ{s}.Get(name)
	switch vr.Kind {
	case expand.Associative:
		m := map[string]string{}
		for k, v := range vr.Map {
			if k != sub {
				m[k] = v
			}
		}
		vr.Map = m
	case expand.Indexed:
		expr, err := syntax.NewParser().Arithmetic(strings.NewReader(sub))
		if err != nil {
			return
		}
		i, err := s.arithm(expr)
		if err != nil {
			return
		}
		arr := sparse{}
		arr.load(vr)
		delete(arr, i)
		vr.List, vr.Indexes = arr.list()
	default:
		return
	}
	s.setVar(name, vr)
}

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

func builtinCommand(s *Shell, args []string) int {
	args = args[1:]
	show, long := false, false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-v":
			show = true
		case "-V":
			show, long = true, true
		case "-p":
		case "--":
		default:
			s.errorf("command: %s: invalid option", args[0])
			return 2
		}
		args = args[1:]
	}
	if len(args) == 0 {
		return 0
	}
	if show {
		code := 0
		for _, name := range args {
			kind, text := s.kind(name)
			switch {
			case kind == "":
				code = 1
				if long {
					s.errorf("command: %s: not found", name)
				}
			case long:
				fmt.Fprintln(s.p.Stdout(), describe(kind, name, text))
			default:
				fmt.Fprintln(s.p.Stdout(), text)
			}
		}
		return code
	}
	if b := builtin(args[0]); b != nil {
		return b(s, args)
	}
	s.external(args)
	return s.status
}

// kind says what a command name stands for, and what command -v prints.
func (s *Shell) kind(name string) (kind, text string) {
	switch {
	case s.aliases[name] != "" && s.opts.expandAliases:
		return "alias", "alias " + name + "=" + singleQuote(s.aliases[name])
	case syntax.IsKeyword(name):
		return "keyword", name
	case s.funcs[name] != nil:
		return "function", name
	case builtin(name) != nil || slices.Contains(declarations(), name):
		return "builtin", name
	}
	if full, ok := s.p.LookIn(s.get("PATH"), name); ok {
		return "file", full
	}
	return "", ""
}

func declarations() []string {
	return []string{"declare", "local", "export", "readonly", "typeset", "let"}
}

func describe(kind, name, text string) string {
	switch kind {
	case "alias":
		return name + " is aliased to `" + text + "'"
	case "keyword":
		return name + " is a shell keyword"
	case "function":
		return name + " is a function"
	case "builtin":
		return name + " is a shell builtin"
	}
	return name + " is " + text
}

func builtinType(s *Shell, args []string) int {
	mode := ""
	code := 0
	for _, name := range args[1:] {
		if strings.HasPrefix(name, "-") {
			mode += name[1:]
			continue
		}
		kind, text := s.kind(name)
		if strings.ContainsAny(mode, "pP") {
			if full, ok := s.p.LookIn(s.get("PATH"), name); ok && (kind == "file" || strings.Contains(mode, "P")) {
				fmt.Fprintln(s.p.Stdout(), full)
			} else {
				code = 1
			}
			continue
		}
		switch {
		case kind == "":
			code = 1
			if !strings.Contains(mode, "t") {
				s.errorf("type: %s: not found", name)
			}
		case strings.Contains(mode, "t"):
			fmt.Fprintln(s.p.Stdout(), kind)
		default:
			fmt.Fprintln(s.p.Stdout(), describe(kind, name, text))
		}
	}
	return code
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

func builtinUlimit(s *Shell, args []string) int {
	if len(args) < 3 {
		fmt.Fprintln(s.p.Stdout(), "unlimited")
	}
	return 0
}

func builtinAlias(s *Shell, args []string) int {
	code := 0
	for _, arg := range args[1:] {
		name, text, ok := strings.Cut(arg, "=")
		if !ok {
			if s.aliases[name] == "" {
				s.errorf("alias: %s: not found", name)
				code = 1
				continue
			}
			fmt.Fprintf(s.p.Stdout(), "alias %s=%s\n", name, singleQuote(s.aliases[name]))
			continue
		}
		aliases := map[string]string{name: text}
		for k, v := range s.aliases {
			if k != name {
				aliases[k] = v
			}
		}
		s.aliases = aliases
	}
	return code
}

func builtinUnalias(s *Shell, args []string) int {
	aliases := map[string]string{}
	for k, v := range s.aliases {
		if !slices.Contains(args[1:], k) && !slices.Contains(args[1:], "-a") {
			aliases[k] = v
		}
	}
	s.aliases = aliases
	return 0
}

// builtinDeclare is export, readonly and local where the grammar sees a plain command: in sh, and behind command and
// builtin. Their words are expanded already.
func builtinDeclare(s *Shell, args []string) int {
	var text strings.Builder
	text.WriteString(args[0])
	for _, arg := range args[1:] {
		name, value, assigns := strings.Cut(arg, "=")
		text.WriteString(" " + name)
		if assigns {
			quoted, err := syntax.Quote(value, syntax.LangBash)
			if err != nil {
				s.errorf("%s: %s: %v", args[0], name, err)
				return 1
			}
			text.WriteString("=" + quoted)
		}
	}
	file, err := syntax.NewParser().Parse(strings.NewReader(text.String()), "")
	if err != nil {
		s.errorf("%s: `%s': not a valid identifier", args[0], strings.Join(args[1:], " "))
		return 1
	}
	if c, ok := file.Stmts[0].Cmd.(*syntax.DeclClause); ok {
		s.declare(c)
	}
	return s.status
}
