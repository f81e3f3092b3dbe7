package sim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"unicode/utf8"

	"podium/provision/folder"
)

// Windows process creation flags (processthreadsapi.h).
const (
	detachedProcess       = 0x00000008
	createNewProcessGroup = 0x00000200
)

// detached gives the process no console and a group of its own, so that Ctrl-C does not reach it.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{HideWindow: true, CreationFlags: detachedProcess | createNewProcessGroup}
}

// maxProgramPath is the longest path of a program that Windows starts (CreateProcessW: MAX_PATH, with its zero).
const maxProgramPath = 259

// keepProgram copies the program beside the lab: Windows does not let anybody replace or delete a program that runs,
// and go run deletes what it has built.
func keepProgram(program, dir string) (string, error) {
	name := filepath.Base(program) // its name: tests tell by it what to play
	target := filepath.Join(dir, name)
	if length := utf8.RuneCountInString(target); length > maxProgramPath {
		return "", fmt.Errorf("%s: a path of %d characters, and Windows starts a program with %d at most: move the lab to a folder with a shorter path, such as C:\\labs",
			target, length, maxProgramPath)
	}
	in, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := folder.At(dir).OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o700)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, in)
	return target, errors.Join(err, out.Close())
}
