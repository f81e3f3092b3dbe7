//go:build !windows

package main

import (
	"bufio"
	"context"
	"io"

	"github.com/muesli/cancelreader"
)

// piped gives cancelreader a pipe or a file, whose reads it can end.
func piped(in io.Reader) io.Reader { return in }

// readLine reads a line, and stops reading when ctx ends.
func readLine(ctx context.Context, from io.Reader) (string, error) {
	in, err := cancelreader.NewReader(from)
	if err != nil {
		return "", err
	}
	defer in.Close()
	stop := context.AfterFunc(ctx, func() { in.Cancel() })
	defer stop()
	return bufio.NewReader(in).ReadString('\n')
}
