package main

import (
	"errors"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
)

// ignoreBrokenPipes does nothing: Windows has no such signal.
func ignoreBrokenPipes() {}

// isBrokenPipe reports whether the reader of a pipe has left.
func isBrokenPipe(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA) || errors.Is(err, syscall.EPIPE)
}

// readerLeft: Windows tells only the writer.
func readerLeft(*os.File) bool { return false }

// sameEnvName compares names of environment variables as the system does.
func sameEnvName(a, b string) bool { return strings.EqualFold(a, b) }

// cutEnv splits an entry of the environment. Windows keeps entries such as "=C:=C:\dir".
func cutEnv(entry string) (name, value string, ok bool) {
	if rest, hidden := strings.CutPrefix(entry, "="); hidden {
		name, value, ok = strings.Cut(rest, "=")
		return "=" + name, value, ok
	}
	return strings.Cut(entry, "=")
}
