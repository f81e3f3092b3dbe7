package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/muesli/cancelreader"
)

// confirm asks before something is lost. Without a terminal to ask on, yes has to be said beforehand.
func (a *app) confirm(ctx context.Context, yes bool, format string, args ...any) error {
	if yes {
		return nil
	}
	what := fmt.Sprintf(format, args...)
	if !a.screen.stdin {
		return usage("%s: not done, as there is no terminal to ask on", what).hinted("to do it without being asked, add --yes")
	}
	fmt.Fprintf(a.stderr, "%s\nGo on? [y/N] ", what)
	answer, err := readLine(ctx, a)
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return fail(exitFailed, "not done")
}

// readLine reads a line of stdin, and stops reading when ctx ends.
func readLine(ctx context.Context, a *app) (string, error) {
	in, err := cancelreader.NewReader(a.stdin)
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	defer in.Close()
	stop := context.AfterFunc(ctx, func() { in.Cancel() })
	defer stop()
	line, err := bufio.NewReader(in).ReadString('\n')
	if ctx.Err() != nil {
		fmt.Fprintln(a.stderr)
		return "", context.Cause(ctx)
	}
	if err != nil && line == "" {
		fmt.Fprintln(a.stderr)
		return "", nil // end of input is no
	}
	return line, nil
}
