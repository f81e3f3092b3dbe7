package shell

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"podium/provision/machine/sim/guest"
)

func (s *Shell) setTrap(sig, cmd string) {
	s.sigMu.Lock()
	defer s.sigMu.Unlock()
	traps := maps.Clone(s.traps)
	if traps == nil {
		traps = map[string]string{}
	}
	traps[sig] = cmd
	s.traps = traps
}

func (s *Shell) clearTrap(sig string) {
	s.sigMu.Lock()
	defer s.sigMu.Unlock()
	traps := maps.Clone(s.traps)
	delete(traps, sig)
	s.traps = traps
}

func (s *Shell) trapOf(sig string) (string, bool) {
	s.sigMu.Lock()
	defer s.sigMu.Unlock()
	cmd, ok := s.traps[sig]
	return cmd, ok
}

// onSignal runs in the sender's goroutine.
func (s *Shell) onSignal(sig guest.Signal) bool {
	s.sigMu.Lock()
	defer s.sigMu.Unlock()
	cmd, set := s.traps[sig.String()]
	switch {
	case set && cmd == "":
		return true
	case set:
		s.pending = append(s.pending, sig)
	case s.traps["EXIT"] != "" && (sig == guest.SIGTERM || sig == guest.SIGINT || sig == guest.SIGHUP):
		s.dying = sig // the EXIT trap still runs
	default:
		return false
	}
	select {
	case s.woken <- struct{}{}:
	default:
	}
	return true
}

func (s *Shell) hasPending() guest.Signal {
	s.sigMu.Lock()
	defer s.sigMu.Unlock()
	if s.dying != 0 {
		return s.dying
	}
	if len(s.pending) > 0 {
		return s.pending[0]
	}
	return 0
}

// runTraps runs the traps of signals that came in.
func (s *Shell) runTraps() {
	for !s.inTrap {
		s.sigMu.Lock()
		if len(s.pending) == 0 {
			s.sigMu.Unlock()
			return
		}
		sig := s.pending[0]
		s.pending = s.pending[1:]
		s.sigMu.Unlock()
		s.runTrap(sig.String())
	}
}

// runTrap runs the command of a trap and leaves $? as it was.
func (s *Shell) runTrap(name string) {
	cmd, _ := s.trapOf(name)
	if cmd == "" || s.inTrap {
		return
	}
	s.inTrap = true
	defer func() { s.inTrap = false }()
	status := s.status
	s.eval(cmd)
	if s.leave != leaveShell {
		s.status = status
	}
}

// exitTrap runs the EXIT trap when the shell ends.
func (s *Shell) exitTrap() {
	s.runTraps()
	cmd, _ := s.trapOf("EXIT")
	s.sigMu.Lock()
	dying := s.dying
	s.dying = 0
	s.sigMu.Unlock()
	if cmd != "" && s.ctx.Err() == nil {
		s.setTrap("EXIT", "")
		s.leave = stay
		status := s.status
		if dying != 0 {
			status = 128 + int(dying)
			s.status = status
		}
		s.tested++ // set -e does not end a trap
		s.eval(cmd)
		s.tested--
		if s.leave != leaveShell {
			s.status = status
		}
	}
	if dying != 0 {
		s.status = 128 + int(dying)
	}
}

func builtinTrap(s *Shell, args []string) int {
	args = args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 || args[0] == "-p" {
		for _, sig := range slices.Sorted(maps.Keys(s.traps)) {
			if cmd := s.traps[sig]; cmd != "" {
				name := sig
				if _, ok := guest.ParseSignal(sig); ok {
					name = "SIG" + sig
				}
				fmt.Fprintf(s.p.Stdout(), "trap -- %s %s\n", singleQuote(cmd), name)
			}
		}
		return 0
	}
	cmd, sigs := args[0], args[1:]
	reset := cmd == "-"
	if len(sigs) == 0 { // trap SIGNAL: back to the default
		sigs, reset = args, true
	}
	code := 0
	for _, sig := range sigs {
		name := strings.TrimPrefix(strings.ToUpper(sig), "SIG")
		if name == "0" {
			name = "EXIT"
		}
		if n, ok := guest.ParseSignal(name); ok && n != 0 {
			name = n.String()
		} else if name == "DEBUG" || name == "RETURN" {
			return s.unsimulated("trap: " + name)
		} else if name != "EXIT" && name != "ERR" {
			s.errorf("trap: %s: invalid signal specification", sig)
			code = 1
			continue
		}
		if !reset {
			s.setTrap(name, cmd)
			continue
		}
		s.clearTrap(name)
	}
	return code
}
