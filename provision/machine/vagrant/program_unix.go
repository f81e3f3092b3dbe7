//go:build unix

package vagrant

import (
	"errors"
	"os/exec"
	"syscall"
)

// ownGroup puts the program into a process group of its own: Ctrl-C at the terminal is podium's to pass on, and what
// the program has started ends with it.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// interrupt asks the program to end, as Ctrl-C would: Vagrant then leaves its locks and the machine in order.
func interrupt(c *exec.Cmd) error { return ignoreGone(syscall.Kill(c.Process.Pid, syscall.SIGINT)) }

// endGroup ends what is left of the program and of what it started.
func endGroup(c *exec.Cmd) {
	if c.Process != nil {
		_ = ignoreGone(syscall.Kill(-c.Process.Pid, syscall.SIGKILL))
	}
}

func ignoreGone(err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}
