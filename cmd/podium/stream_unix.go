//go:build !windows

package main

import (
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// ignoreBrokenPipes makes a write to a reader that left an error instead of the end of the process. Taking the signal
// does so without handing "ignored" on to the programs that podium starts, as signal.Ignore would.
func ignoreBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// isBrokenPipe reports whether the reader of a pipe has left.
func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

// sameEnvName compares names of environment variables as the system does.
func sameEnvName(a, b string) bool { return a == b }

// cutEnv splits an entry of the environment.
func cutEnv(entry string) (name, value string, ok bool) { return strings.Cut(entry, "=") }
