package guest

import "strings"

// Signal is a Unix signal number.
type Signal int

// The signals that matter here.
const (
	SIGHUP  Signal = 1
	SIGINT  Signal = 2
	SIGQUIT Signal = 3
	SIGABRT Signal = 6
	SIGKILL Signal = 9
	SIGUSR1 Signal = 10
	SIGSEGV Signal = 11
	SIGUSR2 Signal = 12
	SIGPIPE Signal = 13
	SIGALRM Signal = 14
	SIGTERM Signal = 15
	SIGCHLD Signal = 17
	SIGCONT Signal = 18
	SIGSTOP Signal = 19
)

func signalNames() map[string]Signal {
	return map[string]Signal{
		"HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "ABRT": SIGABRT, "KILL": SIGKILL, "USR1": SIGUSR1, "SEGV": SIGSEGV,
		"USR2": SIGUSR2, "PIPE": SIGPIPE, "ALRM": SIGALRM, "TERM": SIGTERM, "CHLD": SIGCHLD, "CONT": SIGCONT, "STOP": SIGSTOP,
	}
}

// ParseSignal reads TERM, SIGTERM or 15; 0 tests whether a process is there.
func ParseSignal(s string) (Signal, bool) {
	if n, ok := number(s); ok {
		return Signal(n), n >= 0 && n < 65
	}
	sig, ok := signalNames()[strings.TrimPrefix(strings.ToUpper(s), "SIG")]
	return sig, ok
}

// String is the name without SIG.
func (s Signal) String() string {
	for name, n := range signalNames() {
		if n == s {
			return name
		}
	}
	return "unknown"
}

func number(s string) (int, bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// ignoredByDefault are signals that do nothing to a process that has not asked for them.
func (s Signal) ignoredByDefault() bool { return s == SIGCHLD || s == SIGCONT || s == SIGSTOP }
