//go:build !windows

package sim

import "syscall"

// detached puts the process into a session of its own.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// keepProgram returns the program as it is: a running program can be deleted, as go run does.
func keepProgram(program, _ string) (string, error) { return program, nil }
