package main

import (
	"bufio"
	"context"
	"io"
	"time"
)

// piped hides from cancelreader that a pipe is stdin, for which it would read the console. Nothing ends a read of a pipe.
func piped(in io.Reader) io.Reader { return struct{ io.Reader }{in} }

// interruptWait is how long Ctrl-C may take from the end of a console's read to the end of ctx.
const interruptWait = 500 * time.Millisecond

// readLine reads a line, and stops waiting when ctx ends. The console stays in line mode: in the raw mode that a read
// which can be cancelled needs (cancelreader), it shows no keys, and takes neither Enter nor Ctrl-C for what they are.
// A read of the console can be left in one way only: Ctrl-C ends it, with nothing read, about when ctx ends.
func readLine(ctx context.Context, from io.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(from).ReadString('\n')
		read <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case got := <-read:
		if got.line == "" {
			select {
			case <-ctx.Done():
			case <-time.After(interruptWait):
			}
		}
		return got.line, got.err
	}
}
