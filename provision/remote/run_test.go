package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
)

func echo(ctx context.Context, e *remotetest.Exec) int {
	switch {
	case strings.HasPrefix(e.Command, "fail"):
		fmt.Fprintln(e.Stderr, "first\nlast words")
		return 3
	case e.Command == "cat":
		_, _ = io.Copy(e.Stdout, e.Stdin)
	case e.Command == "wait":
		<-ctx.Done()
	default:
		fmt.Fprintf(e.Stdout, "ran %s\n", e.Command)
	}
	return 0
}

func TestRun(t *testing.T) {
	s := remotetest.New(t, remotetest.Options{Handler: echo})
	c := s.Dial("w1")
	ctx := t.Context()

	got, err := c.Run(ctx, remote.Command{Args: []string{"say", "it's"}, Sudo: true})
	if err != nil || string(got.Stdout) != "ran sudo -n -- say 'it'\\''s'\n" {
		t.Errorf("args: %q, %v", got.Stdout, err)
	}
	got, err = c.Run(ctx, remote.Command{Shell: "cat", Stdin: strings.NewReader("in\nout")})
	if err != nil || string(got.Stdout) != "in\nout" {
		t.Errorf("stdin: %q, %v", got.Stdout, err)
	}
	got, err = c.Run(ctx, remote.Command{Shell: "fail now"})
	var exit *remote.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || got.Code != 3 || err.Error() != "w1: fail now: exit code 3: last words" {
		t.Errorf("exit: %d, %v", got.Code, err)
	}
	_, err = c.Run(ctx, remote.Command{Shell: "fail", Secret: true})
	if err == nil || err.Error() != "w1: command: exit code 3: last words" {
		t.Errorf("secret: %v", err)
	}
	stop, cancel := context.WithCancelCause(ctx)
	cause := errors.New("enough")
	cancel(cause)
	if _, err = c.Run(stop, remote.Command{Shell: "wait"}); !errors.Is(err, cause) {
		t.Errorf("cancelled: %v", err)
	}
}
