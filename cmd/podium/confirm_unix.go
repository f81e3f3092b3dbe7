//go:build !windows

package main

import (
	"bufio"
	"context"
	"io"

	"github.com/muesli/cancelreader"
)

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
