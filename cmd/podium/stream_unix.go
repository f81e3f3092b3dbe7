//go:build !windows

package main

import (
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ignoreBrokenPipes makes a write to a reader that left an error instead of the end of the process. Taking the signal
// does so without handing "ignored" on to the programs that podium starts, as signal.Ignore would.
func ignoreBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// isBrokenPipe reports whether the reader of a pipe has left.
func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

// readerLeft asks whether a pipe's reader has left, without writing: poll(2) says POLLERR then.
func readerLeft(f *os.File) bool {
	ends := []unix.PollFd{{Fd: int32(f.Fd())}}
	n, err := unix.Poll(ends, 0)
	return err == nil && n > 0 && ends[0].Revents&unix.POLLERR != 0
}

// sameEnvName compares names of environment variables as the system does.
func sameEnvName(a, b string) bool { return a == b }

// cutEnv splits an entry of the environment.
func cutEnv(entry string) (name, value string, ok bool) { return strings.Cut(entry, "=") }
