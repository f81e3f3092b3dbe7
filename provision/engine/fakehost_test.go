package engine

import (
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"podium/provision/remote"
)

// fakeHost is a connection to a fake node. It ends with the boot it was made in.
type fakeHost struct {
	lab     *fakeLab
	name    string
	machine *fakeMachine
	down    chan struct{}
}

func (h *fakeHost) Name() string { return h.name }
func (h *fakeHost) Close() error { return h.lab.call("close %s", h.name) }

func (h *fakeHost) Put(context.Context, remote.File) error {
	panic("the engine sends files by bundles")
}

func (h *fakeHost) Get(context.Context, string, io.Writer) error {
	panic("the engine gets facts by markers")
}

func (h *fakeHost) Run(parent context.Context, c remote.Command) (remote.Result, error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {})()
	lost := make(chan struct{})
	go func() {
		defer close(lost)
		select {
		case <-h.down:
			cancel(fmt.Errorf("%s: %w", h.name, remote.ErrDisconnected))
		case <-ctx.Done():
		}
	}()
	code, err := h.run(ctx, c)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	cancel(nil)
	<-lost
	if err == nil && code != 0 {
		err = &remote.ExitError{Host: h.name, Code: code}
	}
	return remote.Result{Code: code}, err
}

func (h *fakeHost) run(ctx context.Context, c remote.Command) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, context.Cause(ctx)
	}
	switch {
	case slices.Contains(c.Args, "podium-look"):
		return 0, h.look(c)
	case slices.Contains(c.Args, "podium-run"):
		return h.bundle(ctx, c, c.Args[len(c.Args)-1])
	case slices.Equal(c.Args, []string{"systemctl", "is-system-running"}):
		fmt.Fprintln(c.Stdout, "running")
		return 0, nil
	}
	return 127, fmt.Errorf("%s: the fake node does not know %q", h.name, c.Args)
}

func (h *fakeHost) look(c remote.Command) error {
	if err := h.lab.call("look %s", h.name); err != nil {
		return err
	}
	h.lab.mu.Lock()
	defer h.lab.mu.Unlock()
	for _, step := range slices.Sorted(maps.Keys(h.machine.markers)) {
		fmt.Fprintf(c.Stdout, "step=%s\n%s", step, h.machine.markers[step])
	}
	for _, unit := range c.Args[slices.Index(c.Args, "podium-look")+1:] {
		fmt.Fprintf(c.Stdout, "unit.%s=active\n", unit)
	}
	fmt.Fprintln(c.Stdout, "end=")
	return nil
}

var claimLine = regexp.MustCompile(`(?m)^claim (\S+) (\S+) (\S+)$`)

func (h *fakeHost) bundle(ctx context.Context, c remote.Command, step string) (int, error) {
	text, err := io.ReadAll(c.Stdin)
	if err != nil {
		return 0, err
	}
	if err := h.lab.call("run %s/%s", h.name, step); err != nil {
		return 0, err
	}
	leave := h.lab.enter()
	facts, code := "", 0
	if h.lab.script != nil {
		facts, err = h.lab.script(ctx, scriptRun{Node: h.name, Step: step, Bundle: string(text), Log: c.Stderr, Lab: h.lab})
	}
	leave()
	if exit, ok := err.(exitCode); ok {
		code, err = int(exit), nil
	}
	if err != nil || ctx.Err() != nil {
		return 0, err
	}
	marker := ""
	claim := claimLine.FindSubmatch(text[max(0, len(text)-1000):]) // it stands at the end
	if claim != nil {
		marker = fmt.Sprintf("digest.script=%s\ndigest.vars=%s\ndigest.files=%s\ndone=%d\n", claim[1], claim[2], claim[3], time.Now().Unix())
	}
	for line := range strings.Lines(facts) {
		marker += "fact." + line
	}
	if code == 0 {
		fmt.Fprint(c.Stdout, marker)
		if claim != nil {
			h.lab.mu.Lock()
			h.machine.markers[step] = marker
			h.lab.mu.Unlock()
		}
	}
	fmt.Fprintf(c.Stdout, "exit=%d\n", code)
	return code, nil
}

// exitCode is how a fake script fails.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }
