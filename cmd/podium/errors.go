package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"podium/provision/engine"
	"podium/provision/folder"
	"podium/provision/report"
)

// Exit codes, part of podium's interface.
const (
	exitOK          = 0
	exitFailed      = 1   // something did not work
	exitUsage       = 2   // wrong command line or wrong lab.yaml
	exitPreflight   = 3   // this computer lacks something, found before anything was changed
	exitInterrupted = 130 // Ctrl-C, SIGTERM
)

// codeError is an error that decides the exit code.
type codeError struct {
	code int
	err  error
	hint string // what to do next, on a line of its own
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

// fail makes an error with an exit code.
func fail(code int, format string, args ...any) *codeError {
	return &codeError{code: code, err: fmt.Errorf(format, args...)}
}

// usage makes an error about the command line.
func usage(format string, args ...any) *codeError { return fail(exitUsage, format, args...) }

// hinted adds what to do next.
func (e *codeError) hinted(format string, args ...any) *codeError {
	e.hint = fmt.Sprintf(format, args...)
	return e
}

// exitStatus is an exit code without a message: what there is to say has been said.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit code %d", int(s)) }

// interrupted makes err an interruption; the exit code of it is 130.
func interrupted(err error) error {
	var code *codeError
	if errors.As(err, &code) && code.code == exitInterrupted {
		return err
	}
	return fail(exitInterrupted, "interrupted")
}

// exitCode is the exit code for err.
func exitCode(err error) int {
	var quiet exitStatus
	var code *codeError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &quiet):
		return int(quiet)
	case errors.As(err, &code):
		return code.code
	case isDescriptionError(err):
		return exitUsage
	case errors.Is(err, engine.ErrNoSuchStep), errors.Is(err, engine.ErrSnapshotName), errors.Is(err, engine.ErrVersion),
		errors.Is(err, engine.ErrControlPlanes), errors.Is(err, engine.ErrEtcd):
		return exitUsage
	case isPreflightError(err):
		return exitPreflight
	default:
		return exitFailed
	}
}

// printError shows err on stderr, once: for people, or as one line of JSON when the verb prints JSON.
func (a *app) printError(err error) {
	var quiet exitStatus
	if errors.As(err, &quiet) {
		return
	}
	hint := ""
	var code *codeError
	if errors.As(err, &code) {
		hint = code.hint
	}
	if hint == "" && folder.IsFull(err) {
		hint = "the disk is full: free some space on it; podium destroy, halt and snapshot delete work all the same"
	}
	if a.output == "json" {
		_ = json.NewEncoder(a.stderr).Encode(struct {
			Error    string `json:"error"`
			Hint     string `json:"hint,omitempty"`
			Code     int    `json:"code"`
			Problems any    `json:"problems,omitempty"`
		}{err.Error(), hint, exitCode(err), problemsOf(err)})
		return
	}
	text, hint := report.Printable(strings.TrimRight(err.Error(), "\n"), false), report.Printable(hint, false) // may quote a node
	if isDescriptionError(err) {
		// One problem a line, as compilers write them, so that editors find the places.
		fmt.Fprintln(a.stderr, text)
		fmt.Fprintf(a.stderr, "podium: %s\n", countProblems(err))
	} else {
		fmt.Fprintf(a.stderr, "podium: %s\n", text)
	}
	if hint != "" {
		fmt.Fprintf(a.stderr, "  %s\n", strings.ReplaceAll(hint, "\n", "\n  "))
	}
}

// warn writes a line for people that is not the result.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintf(a.stderr, "podium: "+format+"\n", args...)
}

// canceled reports whether err says that Ctrl-C ended the work.
func canceled(err error) bool {
	return errors.Is(err, errInterrupted) || errors.Is(err, context.Canceled)
}
