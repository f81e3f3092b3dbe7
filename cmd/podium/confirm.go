package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
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
	answer, err := readLine(ctx, a.stdin)
	if ctx.Err() != nil {
		fmt.Fprintln(a.stderr)
		return context.Cause(ctx)
	}
	if err != nil && answer == "" { // end of input is no
		fmt.Fprintln(a.stderr)
		if !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the answer: %w", err)
		}
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return fail(exitFailed, "not done")
}
