package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/scripts"
)

// node is one machine during a run: the one connection to it, and what it said of itself.
type node struct {
	name     string
	provider machine.Provider
	dialer   Dialer
	log      hclog.Logger
	scripts  nodeScripts

	restarts func() error      // called before a machine that has gone down is started again; nil: nobody needs to know
	says     func(text string) // takes what a boot waits for; nil: nobody listens

	gate     chan struct{} // holds a token while host and endpoint are looked at or replaced
	host     remote.Host   // nil: not connected
	endpoint remote.Endpoint

	mu   sync.Mutex
	seen inspection // the last one; Markers grows as steps are done
	uses int        // tasks and inputs that still need the connection
}

// nodeScripts are the texts of scripts/guest/lib that the engine itself runs on nodes.
type nodeScripts struct{ runner, bundle, look string }

func readNodeScripts() (nodeScripts, error) {
	var s nodeScripts
	for name, text := range map[string]*string{"runner": &s.runner, "bundle": &s.bundle, "look": &s.look} {
		b, err := fs.ReadFile(scripts.Guest(), "lib/"+name+".sh")
		if err != nil {
			return nodeScripts{}, fmt.Errorf("embedded scripts: %w", err)
		}
		*text = lf(string(b))
	}
	return s, nil
}

// enter waits for the right to look at the connection.
func (n *node) enter(ctx context.Context) error {
	select {
	case n.gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", n.name, context.Cause(ctx))
	}
}

func (n *node) leave() { <-n.gate }

// boot has the provider create or start the machine, and connects to it.
func (n *node) boot(ctx context.Context) error {
	if err := n.enter(ctx); err != nil {
		return err
	}
	defer n.leave()
	if n.host != nil {
		return nil
	}
	return n.up(ctx)
}

// up starts the machine and connects. The caller has entered.
func (n *node) up(ctx context.Context) error {
	endpoint, err := n.provider.Up(ctx, n.name)
	if err != nil {
		return fmt.Errorf("start the machine: %w", err)
	}
	endpoint.Node = n.name
	n.endpoint = endpoint
	if n.says != nil {
		n.says(fmt.Sprintf("SSH does not answer yet at %s:%d", endpoint.Host, endpoint.Port))
	}
	n.host, err = n.dialer.Dial(ctx, endpoint)
	return err
}

// quickDial is how long a node that was reached before may take to answer until the provider is asked to start it.
const quickDial = 10 * time.Second

// connect returns the connection, and makes another one if it was lost. A machine that has gone down meanwhile is started.
func (n *node) connect(ctx context.Context) (remote.Host, error) {
	if err := n.enter(ctx); err != nil {
		return nil, err
	}
	defer n.leave()
	if n.host != nil {
		return n.host, nil
	}
	if n.endpoint.Host != "" {
		quick, cancel := context.WithTimeout(ctx, quickDial)
		host, err := n.dialer.Dial(quick, n.endpoint)
		cancel()
		if err == nil {
			n.host = host
			return host, nil
		}
		if class := remote.Classify(err); ctx.Err() != nil || class == remote.Auth || errors.Is(err, remote.ErrHostKey) {
			return nil, err
		}
		n.log.Debug("node does not answer: asking the provider to start it", "node", n.name, "error", err)
		if n.restarts != nil {
			if err := n.restarts(); err != nil {
				return nil, err
			}
		}
	}
	if err := n.up(ctx); err != nil {
		return nil, err
	}
	return n.host, nil
}

// drop forgets a connection that has failed, unless it has been replaced already.
func (n *node) drop(bad remote.Host) {
	n.gate <- struct{}{}
	defer n.leave()
	if n.host == bad {
		n.host = nil
	}
	if err := bad.Close(); err != nil {
		n.log.Debug("close connection", "node", n.name, "error", err)
	}
}

// close ends the connection.
func (n *node) close() {
	n.gate <- struct{}{}
	defer n.leave()
	if n.host == nil {
		return
	}
	if err := n.host.Close(); err != nil {
		n.log.Debug("close connection", "node", n.name, "error", err)
	}
	n.host = nil
}

// at is where the node was last reached; false: never.
func (n *node) at(ctx context.Context) (remote.Endpoint, bool) {
	if n.enter(ctx) != nil {
		return remote.Endpoint{}, false
	}
	defer n.leave()
	return n.endpoint, n.endpoint.Host != ""
}

// inspect asks the node what was done on it, and remembers the answer. A lost connection is replaced once.
func (n *node) inspect(ctx context.Context) error {
	for again := false; ; again = true {
		host, err := n.connect(ctx)
		if err != nil {
			return err
		}
		seen, err := inspect(ctx, host, n.scripts)
		if err != nil && remote.Classify(err) == remote.Retry && !again && ctx.Err() == nil {
			n.drop(host)
			continue
		}
		if err == nil {
			n.mu.Lock()
			n.seen = seen
			n.mu.Unlock()
		}
		return err
	}
}

// inspect runs look.sh on a node.
func inspect(ctx context.Context, host remote.Host, s nodeScripts, units ...string) (inspection, error) {
	var out limited
	_, err := host.Run(ctx, remote.Command{
		Args: append([]string{"bash", "-c", s.look, "podium-look"}, units...), Sudo: true, Stdout: &out, Secret: true,
	})
	if err != nil {
		return inspection{}, fmt.Errorf("ask the node what it has: %w", err)
	}
	seen, err := parseInspection(out.Bytes())
	if errors.Is(err, errTorn) {
		return inspection{}, fmt.Errorf("%s: ask the node what it has: %w: %w", host.Name(), remote.ErrDisconnected, err)
	}
	return seen, err
}

// command is how a bundle gets onto a node and runs.
func (n *node) command(step, bundle string) remote.Command {
	return remote.Command{
		Args:     []string{"bash", "-c", n.scripts.runner, "podium-run", strconv.Itoa(len(bundle)), step},
		Stdin:    strings.NewReader(bundle),
		Lifeline: true,
		Sudo:     true,
		Secret:   true, // the runner's text would fill every message
	}
}

// goingDown tells whether a step failed because its node is shutting down, going by what the node says now. Then the
// failure says nothing of the step. A node that was restarted has lost the connection.
func (n *node) goingDown(ctx context.Context, host remote.Host) bool {
	ctx, cancel := context.WithTimeout(ctx, quickDial)
	defer cancel()
	var out limited
	_, err := host.Run(ctx, remote.Command{Args: []string{"systemctl", "is-system-running"}, Stdout: &out})
	if remote.Classify(err) == remote.Retry || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	return strings.TrimSpace(out.String()) == "stopping"
}

// due says why a step has to run on the node; empty: it does not.
func (n *node) due(t plan.Task) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return due(t, n.seen.Markers)
}

// secrets is the secret facts that the node's steps have reported. Those of other nodes cannot get into its output, but
// by way of a task's inputs.
func (n *node) secrets() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var values []string
	for _, m := range n.seen.Markers {
		values = append(values, secretValues(m.Facts)...)
	}
	return values
}

// markDone remembers the marker of a step that was just done.
func (n *node) markDone(step string, m marker) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen.Markers[step] = m
}

// need counts one more use of the connection; done counts one less and reports whether it was the last.
func (n *node) need() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.uses++
}

func (n *node) done() (last bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.uses--
	return n.uses == 0
}
