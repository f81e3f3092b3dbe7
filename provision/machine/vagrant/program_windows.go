package vagrant

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// ownGroup puts the program into a process group of its own, so that Ctrl-C at the terminal is podium's to pass on.
func ownGroup(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// interrupt asks the program to end as Ctrl-Break would, the one signal that reaches another group.
func interrupt(c *exec.Cmd) error {
	if err := windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(c.Process.Pid)); err != nil {
		return c.Process.Kill() // without a console there is nothing gentler
	}
	return nil
}

func endGroup(c *exec.Cmd) {
	if c.Process != nil {
		_ = c.Process.Kill()
	}
}
