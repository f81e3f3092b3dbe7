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

// group holds a program and all that it has started.
type group struct{ id int }

func groupOf(c *exec.Cmd) group { return group{c.Process.Pid} }

// end ends what runs of the group.
func (g group) end() { _ = ignoreGone(syscall.Kill(-g.id, syscall.SIGKILL)) }

// close has nothing to let go of.
func (group) close() {}

func ignoreGone(err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}
