package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

// Shell is one shell process: its variables, functions, options and jobs.
type Shell struct {
	p     *guest.Process
	ctx   context.Context
	cache *Cache

	vars     *scope
	envCache []string
	funcs    map[string]*syntax.Stmt // never changed in place: subshells share it
	params   []string
	name     string // $0
	pid      int    // $$
	opts     options
	started  time.Time
	depth    int  // subshells around this one
	posix    bool // sh
	command  bool // started with -c
	cfg      *expand.Config

	expandErr error // of an expansion that special carried out

	status     int // $?
	substCode  int // of the last command substitution of the command at hand
	line       uint
	tested     int // >0: in a condition, where set -e does not apply
	leave      leave
	leaveDepth int
	loops      int
	inPlace    bool // the only command of a forked shell: it takes over the process
	calls      []string
	files      []string // files being read by source, and the script itself

	substFDs []int // pipes of process substitutions of the command at hand

	jobs    []*job
	lastJob int

	traps   map[string]string
	inTrap  bool
	sigMu   sync.Mutex
	pending []guest.Signal
	dying   guest.Signal
	woken   chan struct{}
}

// leave says why statements are skipped.
type leave int

const (
	stay leave = iota
	leaveLoop
	leaveRound // continue
	leaveFunction
	leaveShell
)

// Bash returns the program bash. All shells of all nodes share the cache.
func Bash(cache *Cache) guest.Program {
	return func(ctx context.Context, p *guest.Process) int { return run(ctx, p, cache, false) }
}

// Sh returns the program sh.
func Sh(cache *Cache) guest.Program {
	return func(ctx context.Context, p *guest.Process) int { return run(ctx, p, cache, true) }
}

func newShell(ctx context.Context, p *guest.Process, cache *Cache, posix bool) *Shell {
	s := &Shell{
		p: p, ctx: ctx, cache: cache, posix: posix, pid: p.PID, started: time.Now(), name: p.Args[0],
		vars: newScope(nil), woken: make(chan struct{}, 1),
	}
	for _, kv := range p.Env {
		if name, value, ok := strings.Cut(kv, "="); ok && syntax.ValidName(name) {
			s.vars.vars[name] = expand.Variable{Set: true, Exported: true, Kind: expand.String, Str: value}
		}
	}
	set := func(name, value string, exported bool) {
		s.vars.vars[name] = expand.Variable{Set: true, Exported: exported, Kind: expand.String, Str: value}
	}
	set("PWD", p.Dir, true)
	set("IFS", " \t\n", false)
	set("OPTIND", "1", false)
	if _, ok := s.vars.vars["PATH"]; !ok {
		set("PATH", guest.DefaultPath, false)
	}
	if _, ok := s.vars.vars["SHLVL"]; !ok {
		set("SHLVL", "1", true)
	}
	s.configure()
	p.OnSignal(s.onSignal)
	return s
}

func (s *Shell) configure() {
	s.cfg = &expand.Config{
		Env:       environ{s},
		CmdSubst:  s.substitute,
		ProcSubst: s.processSubstitution,
		NoUnset:   s.opts.nounset,
	}
}

// fork makes the state of a child shell; its process is filled in when it runs.
func (s *Shell) fork() *Shell {
	c := &Shell{
		cache: s.cache, vars: s.vars.clone(), funcs: s.funcs, params: s.params, name: s.name, pid: s.pid, opts: s.opts,
		started: s.started, depth: s.depth + 1, posix: s.posix, command: s.command, status: s.status, line: s.line,
		tested: s.tested, loops: s.loops, calls: s.calls, files: s.files, lastJob: s.lastJob,
		woken: make(chan struct{}, 1),
	}
	for sig, cmd := range s.traps {
		if cmd == "" || sig == "ERR" && s.opts.errtrace {
			c.setTrap(sig, cmd)
		}
	}
	c.configure()
	return c
}

// in makes a forked shell run in its process and returns the exit code.
func (s *Shell) in(ctx context.Context, p *guest.Process, do func()) int {
	s.ctx, s.p = ctx, p
	p.OnSignal(s.onSignal)
	do()
	s.exitTrap()
	return s.status
}

// run is main.
func run(ctx context.Context, p *guest.Process, cache *Cache, posix bool) int {
	s := newShell(ctx, p, cache, posix)
	args, err := s.parseArgs(p.Args[1:])
	if err != nil {
		s.errorf("%v", err)
		return 2
	}
	switch {
	case s.command:
		if len(args) == 0 {
			s.errorf("-c: option requires an argument")
			return 2
		}
		text := args[0]
		if len(args) > 1 {
			s.name, s.params = args[1], args[2:]
		}
		return s.runText(text, s.name)
	case len(args) > 0 && !s.opts.stdin:
		s.name, s.params = args[0], args[1:]
		text, err := s.p.FS().ReadFile(p.Cred, p.Path(args[0]))
		if err != nil {
			fmt.Fprintf(p.Stderr(), "%s: %s: %s\n", p.Exe, args[0], guest.Reason(err))
			if errors.Is(err, os.ErrPermission) {
				return 126
			}
			return 127
		}
		s.files = []string{args[0]}
		return s.runText(text, args[0])
	case p.TTY():
		s.params = args
		return s.interactive()
	}
	s.params = args
	text, err := io.ReadAll(p.Stdin())
	if err != nil {
		return 1
	}
	return s.runText(string(text), s.name)
}

func (s *Shell) runText(text, name string) int {
	file, err := s.cache.parse(text, name, s.posix)
	if err != nil {
		fmt.Fprintf(s.p.Stderr(), "%s: %s\n", s.p.Exe, syntaxError(err))
		return 2
	}
	s.stmts(file.Stmts)
	s.exitTrap()
	return s.status
}

func syntaxError(err error) string {
	if pe, ok := errors.AsType[syntax.ParseError](err); ok {
		return fmt.Sprintf("%s: line %d: syntax error: %s", pe.Filename, pe.Pos.Line(), pe.Text)
	}
	return err.Error()
}

// parseArgs reads the shell's own options.
func (s *Shell) parseArgs(args []string) ([]string, error) {
	for len(args) > 0 {
		arg := args[0]
		switch {
		case arg == "--":
			return args[1:], nil
		case arg == "--login", arg == "--norc", arg == "--noprofile", arg == "--posix", arg == "-l":
		case arg == "-o", arg == "+o":
			if len(args) < 2 {
				return nil, fmt.Errorf("%s: option requires an argument", arg)
			}
			if !s.opts.set(args[1], arg == "-o") {
				return nil, fmt.Errorf("%s: invalid option name", args[1])
			}
			args = args[1:]
		case len(arg) > 1 && (arg[0] == '-' || arg[0] == '+') && arg[1] != '-':
			rest := arg[1:]
			for i, c := range rest {
				switch c {
				case 'c':
					s.command = true
				case 'l', 'i':
				case 's':
					s.opts.stdin = true
				case 'o':
					if len(args) < 2 || i != len(rest)-1 {
						return nil, fmt.Errorf("%s: option requires an argument", arg)
					}
					if !s.opts.set(args[1], arg[0] == '-') {
						return nil, fmt.Errorf("%s: invalid option name", args[1])
					}
					args = args[1:]
				default:
					if !s.opts.letter(byte(c), arg[0] == '-') {
						return nil, fmt.Errorf("-%c: invalid option", c)
					}
				}
			}
		case strings.HasPrefix(arg, "--"):
			return nil, fmt.Errorf("%s: invalid option", arg)
		default:
			s.configure()
			return args, nil
		}
		args = args[1:]
	}
	s.configure()
	return args, nil
}

// errorf writes a message as bash words it: "script: line 3: message".
func (s *Shell) errorf(format string, args ...any) {
	fmt.Fprintf(s.p.Stderr(), "%s: %s\n", s.where(), fmt.Sprintf(format, args...))
}

// unsimulated refuses what bash has and this shell has not. The script ends: what follows counts on it.
func (s *Shell) unsimulated(what string) int {
	s.errorf("not simulated: %s", what)
	s.leave = leaveShell
	return 2
}

func (s *Shell) where() string {
	if s.command || len(s.files) == 0 {
		return s.name
	}
	return fmt.Sprintf("%s: line %d", s.files[len(s.files)-1], s.line)
}

// stopped reports whether the statements that follow are to be skipped.
func (s *Shell) stopped() bool {
	return s.leave != stay || s.ctx.Err() != nil || s.dying != 0
}

func (s *Shell) sources() []string {
	if len(s.files) == 0 {
		return []string{s.name}
	}
	list := make([]string, 0, len(s.files)+len(s.calls))
	for i := len(s.files) - 1; i >= 0; i-- {
		list = append(list, s.files[i])
	}
	return list
}

func homeOf(p *guest.Process, user string) string {
	passwd, err := p.FS().ReadFile(p.Cred, "/etc/passwd")
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(passwd, "\n") {
		if f := strings.Split(line, ":"); len(f) > 6 && f[0] == user {
			return f[5]
		}
	}
	return ""
}
