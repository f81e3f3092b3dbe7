package shell

import (
	"fmt"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"podium/provision/machine/sim/guest"
)

// job is a command in the background.
type job struct {
	pid   int // of its last process: $!
	procs []*guest.Process
	text  string
	quiet bool // a process substitution: not listed
	told  bool // its end was asked for
}

func (j *job) last() *guest.Process { return j.procs[len(j.procs)-1] }

// background starts a statement that ends with &.
func (s *Shell) background(st *syntax.Stmt) {
	fore := *st
	fore.Background = false
	list := []stage{{st: &fore}}
	if c, ok := fore.Cmd.(*syntax.BinaryCmd); ok && !fore.Negated && (c.Op == syntax.Pipe || c.Op == syntax.PipeAll) {
		list = stages(c)
	}
	group := 0
	var restore func()
	if s.opts.monitor {
		group = -1
	} else {
		// Without job control a background command does not read the shell's input.
		restore, _ = s.p.SaveFD(0)
		s.p.SetFile(0, guest.Null{})
	}
	procs, err := s.startPipeline(list, group)
	if restore != nil {
		restore()
	}
	if err != nil || len(procs) == 0 {
		s.status = 254
		return
	}
	var text strings.Builder
	syntax.NewPrinter(syntax.SingleLine(true)).Print(&text, &fore)
	j := &job{procs: procs, text: text.String()}
	j.pid = j.last().PID
	s.jobs = append(s.jobs, j)
	s.lastJob = j.pid
	s.status = 0
}

// wait waits for a child in the foreground.
func (s *Shell) wait(p *guest.Process) int {
	for {
		select {
		case <-p.Done():
			return p.Status()
		case <-s.ctx.Done():
			return s.p.Wait(p)
		case <-s.woken:
			if s.dying != 0 {
				return 128 + int(s.dying)
			}
		}
	}
}

// waitJob waits for a background process; a signal that has a trap ends the wait.
func (s *Shell) waitJob(p *guest.Process) (code int, interrupted bool) {
	for {
		if sig := s.hasPending(); sig != 0 {
			return 128 + int(sig), true
		}
		select {
		case <-p.Done():
			return p.Status(), false
		case <-s.ctx.Done():
			return s.p.Wait(p), true
		case <-s.woken:
		}
	}
}

func builtinWait(s *Shell, args []string) int {
	next := false
	args = args[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-n":
			next = true
		case "-f":
		case "--":
		default:
			s.errorf("wait: %s: invalid option", args[0])
			return 2
		}
		args = args[1:]
	}
	if next {
		return s.waitNext()
	}
	if len(args) == 0 {
		for _, j := range s.jobs {
			for _, p := range j.procs {
				if code, interrupted := s.waitJob(p); interrupted {
					return code
				}
			}
			j.told = true
		}
		return 0
	}
	code := 0
	for _, arg := range args {
		j := s.job(arg)
		if j == nil {
			s.errorf("wait: pid %s is not a child of this shell", arg)
			code = 127
			continue
		}
		var interrupted bool
		for _, p := range j.procs {
			if code, interrupted = s.waitJob(p); interrupted {
				return code
			}
		}
		j.told = true
	}
	return code
}

// waitNext is wait -n: the next job to end.
func (s *Shell) waitNext() int {
	ended := make(chan *job)
	stop := make(chan struct{})
	defer close(stop)
	waiting := 0
	for _, j := range s.jobs {
		if j.told || j.quiet {
			continue
		}
		waiting++
		go func() {
			for _, p := range j.procs {
				select {
				case <-p.Done():
				case <-stop:
					return
				}
			}
			select {
			case ended <- j:
			case <-stop:
			}
		}()
	}
	if waiting == 0 {
		return 127
	}
	for {
		select {
		case j := <-ended:
			j.told = true
			return j.last().Status()
		case <-s.ctx.Done():
			return 128 + int(s.p.Killed())
		case <-s.woken:
			if sig := s.hasPending(); sig != 0 {
				return 128 + int(sig)
			}
		}
	}
}

// job finds a job by %number or by the number of one of its processes.
func (s *Shell) job(arg string) *job {
	if spec, ok := strings.CutPrefix(arg, "%"); ok {
		var listed []*job
		for _, j := range s.jobs {
			if !j.quiet {
				listed = append(listed, j)
			}
		}
		n, err := strconv.Atoi(spec)
		switch {
		case len(listed) == 0:
			return nil
		case spec == "" || spec == "+" || spec == "%":
			n = len(listed)
		case err != nil:
			return nil
		}
		if n < 1 || n > len(listed) {
			return nil
		}
		return listed[n-1]
	}
	pid, err := strconv.Atoi(arg)
	if err != nil {
		return nil
	}
	for _, j := range s.jobs {
		for _, p := range j.procs {
			if p.PID == pid {
				return j
			}
		}
	}
	return nil
}

func builtinKill(s *Shell, args []string) int {
	sig := guest.SIGTERM
	args = args[1:]
	if len(args) > 0 {
		switch {
		case args[0] == "-l":
			fmt.Fprintln(s.p.Stdout(), "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP")
			return 0
		case args[0] == "--":
			args = args[1:]
		case (args[0] == "-s" || args[0] == "-n") && len(args) > 1:
			var ok bool
			if sig, ok = guest.ParseSignal(args[1]); !ok {
				s.errorf("kill: %s: invalid signal specification", args[1])
				return 1
			}
			args = args[2:]
		case strings.HasPrefix(args[0], "-") && len(args[0]) > 1:
			var ok bool
			if sig, ok = guest.ParseSignal(args[0][1:]); !ok {
				s.errorf("kill: %s: invalid signal specification", args[0][1:])
				return 1
			}
			args = args[1:]
		}
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		s.errorf("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]")
		return 2
	}
	code := 0
	for _, arg := range args {
		if reason := s.kill(arg, sig); reason != "" {
			s.errorf("kill: %s", reason)
			code = 1
		}
	}
	return code
}

// kill signals a process, a group or a job; the text says why it could not.
func (s *Shell) kill(arg string, sig guest.Signal) string {
	pid, err := strconv.Atoi(arg)
	if strings.HasPrefix(arg, "%") {
		j := s.job(arg)
		if j == nil {
			return arg + ": no such job"
		}
		for _, p := range j.procs {
			p.Signal(sig)
		}
		return ""
	}
	if err != nil {
		return arg + ": arguments must be process or job IDs"
	}
	if pid == 0 {
		pid = -s.p.Group()
	}
	if pid > 0 && s.p.Cred.UID != 0 {
		if p := s.p.Kernel.Process(pid); p != nil && p.Shown().UID != s.p.Cred.UID {
			return fmt.Sprintf("(%d) - Operation not permitted", pid)
		}
	}
	if !s.p.Kernel.Kill(pid, sig) {
		return fmt.Sprintf("(%d) - No such process", pid)
	}
	return ""
}
