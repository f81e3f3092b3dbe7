package vagrant

import (
	"os"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ownGroup puts the program into a process group of its own, so that Ctrl-C at the terminal is podium's to pass on. It
// starts suspended: groupOf lets it run once it is in its job.
func ownGroup(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_SUSPENDED}
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
	defer func() {
		if err := resume(uint32(c.Process.Pid)); err != nil {
			_ = c.Process.Kill() // it would wait without end
		}
	}()
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return g
	}
	// What the program starts is in the job too: it has not run yet.
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

// resume lets the only thread of a process run that was started suspended. The os package keeps no handle of it.
func resume(process uint32) error {
	threads, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(threads) //nolint:errcheck // nothing is lost
	t := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(threads, &t); err == nil; err = windows.Thread32Next(threads, &t) {
		if t.OwnerProcessID != process {
			continue
		}
		thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, t.ThreadID)
		if err != nil {
			return err
		}
		_, err = windows.ResumeThread(thread)
		_ = windows.CloseHandle(thread)
		return err
	}
	return err
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
