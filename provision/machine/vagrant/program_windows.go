package vagrant

import (
	"os"
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

// group holds a program and all that it has started. vagrant.exe only starts ruby.exe, which does the work, and would go
// on when its parent was ended alone.
type group struct {
	process *os.Process
	job     windows.Handle // 0: Windows gave none
}

func groupOf(c *exec.Cmd) group {
	g := group{process: c.Process}
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return g
	}
	// What the program starts from now on is in the job too. It has only begun to load.
	err = c.Process.WithHandle(func(process uintptr) {
		if windows.AssignProcessToJobObject(job, windows.Handle(process)) == nil {
			g.job = job
		}
	})
	if err != nil || g.job == 0 {
		_ = windows.CloseHandle(job)
	}
	return g
}

// end ends what runs of the group.
func (g group) end() {
	if g.job == 0 {
		_ = g.process.Kill()
		return
	}
	_ = windows.TerminateJobObject(g.job, 1)
}

// close lets go of the group; what runs of it runs on.
func (g group) close() {
	if g.job != 0 {
		_ = windows.CloseHandle(g.job)
	}
}
