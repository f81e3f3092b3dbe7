package examine

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"podium/provision/exercise"
	"podium/provision/remote"
)

// defaultTimeout is how long a script may take unless it says so.
const defaultTimeout = 10 * time.Minute

// fromStdin is a shell that reads a script whole before it runs it, so that no command in it takes the rest of the
// script for its input.
const fromStdin = `script=$(cat; printf x); exec bash --noprofile --norc /dev/fd/3 3< <(printf '%s' "${script%x}") </dev/null`

// Run runs a script of an exercise on its nodes, side by side. output gives what a node's lines are written to.
func (r *Room) Run(ctx context.Context, e *exercise.Exercise, s exercise.Script, env map[string]string, output func(node string) io.WriteCloser) []remote.Outcome[struct{}] {
	nodes, err := exercise.ScriptNodes(r.Lab, s)
	if err != nil {
		return []remote.Outcome[struct{}]{{Name: s.On, Err: fmt.Errorf("%s: %w: write another on: in exercise.yaml", s.Run, err)}}
	}
	limit := defaultTimeout
	if d, err := time.ParseDuration(s.Timeout); err == nil {
		limit = d
	}
	return remote.Each(ctx, nodes, 0, func(ctx context.Context, node string) (struct{}, error) {
		host, err := r.host(ctx, node)
		if err != nil {
			return struct{}{}, err
		}
		ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s did not end within %s", s.Run, limit))
		defer cancel()
		out := output(node)
		defer out.Close()
		command := command(s.As, r.env(node, env))
		command.Stdin, command.Stdout, command.Stderr = strings.NewReader(e.Bodies[s.Run]), out, out
		if _, err = host.Run(ctx, command); err != nil {
			return struct{}{}, fmt.Errorf("%s: %w", s.Run, err)
		}
		return struct{}{}, nil
	})
}

// command runs bash in a clean environment, as root or as podium's account.
func command(as string, env map[string]string) remote.Command {
	words := cleanEnvironment("/root")
	if as == "user" {
		delete(env, "KUBECONFIG") // its own is in its home
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		words = append(words, name+"="+env[name])
	}
	shell := []string{"bash", "--noprofile", "--norc", "-c", fromStdin}
	if as != "user" {
		return remote.Command{Args: append(words, shell...), Sudo: true, Secret: true}
	}
	words = words[:len(words):len(words)]
	words = slices.DeleteFunc(words, func(w string) bool { return w == "HOME=/root" })
	return remote.Command{Shell: "exec " + remote.Quote(words...) + ` HOME="$HOME" USER="$(id -un)" ` + remote.Quote(shell...), Secret: true}
}
