package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/lab"
)

// system is the environment of the real process. Tests make their own.
func system() environment {
	return environment{
		Args:    os.Args[1:],
		Environ: os.Environ(),
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Now:     time.Now,
		Signals: true,
		Exit:    os.Exit,
		Config:  os.UserConfigDir,
	}
}

// environment is all that podium takes from outside, but for the current folder and the files in it.
type environment struct {
	Args    []string
	Environ []string
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Now     func() time.Time
	Signals bool                   // listen to the process's signals
	Exit    func(int)              // leaves at once, at the second Ctrl-C
	Config  func() (string, error) // folder of the user's settings; nil: none
}

// app is one run of podium.
type app struct {
	environment
	stdin      io.Reader
	stdout     *stream
	stderr     *stream
	screen     screen // what stdout can show
	interrupts *interrupts
	log        hclog.Logger
	output     string       // format of the running verb, for errors: "json" makes them JSON too
	lab        string       // --lab
	adopt      bool         // --adopt
	logLevel   string       // --log-level
	warnings   lab.Problems // of the description that was read last
	helpError  error        // help was asked about a verb that does not exist
}

// run carries out one command line and returns the exit code.
func run(s environment) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	a := &app{
		environment: s,
		stdin:       s.Stdin,
		stdout:      newStream(s.Stdout),
		stderr:      newStream(s.Stderr),
		log:         hclog.NewNullLogger(),
	}
	a.screen = newScreen(s.Stdin, s.Stdout, a.getenv)
	a.interrupts = &interrupts{cancel: cancel, exit: s.Exit, say: a.warn}
	if s.Signals {
		defer a.interrupts.listen()()
	}
	root := a.rootCommand()
	root.SetArgs(s.Args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	return a.finish(ctx, cmp.Or(err, a.helpError))
}

// finish reports err once and turns it into the exit code.
func (a *app) finish(ctx context.Context, err error) int {
	if err == nil {
		err = a.stdout.failure()
	}
	if err != nil && errors.Is(context.Cause(ctx), errInterrupted) {
		err = interrupted(err)
	}
	if err == nil {
		return exitOK
	}
	a.printError(err)
	return exitCode(err)
}

// getenv returns the value of an environment variable; the last one of a name counts, as in os/exec.
func (a *app) getenv(name string) string {
	for i := len(a.Environ) - 1; i >= 0; i-- {
		if key, value, _ := cutEnv(a.Environ[i]); sameEnvName(key, name) {
			return value
		}
	}
	return ""
}
