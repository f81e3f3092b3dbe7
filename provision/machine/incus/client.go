package incus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
)

// client runs the incus client.
type client struct {
	program string // empty: incus
	remote  string // empty: the client's default
	project string // empty: default
	log     hclog.Logger
}

// clientError is a call of the client that failed.
type clientError struct {
	Call string // what was called, for the log
	Text string // what the client said, without its "Error: "
	Err  error
}

func (e *clientError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("%s: %v", e.Call, e.Err)
	}
	return e.Text
}

func (e *clientError) Unwrap() error { return e.Err }

// run calls the client and returns what it printed, without the last line break.
func (c *client) run(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	program := c.program
	if program == "" {
		program = "incus"
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	cmd.WaitDelay = 2 * time.Second
	start := time.Now()
	err := cmd.Run()
	call := strings.Join(append([]string{"incus"}, args...), " ")
	c.log.Debug(call, "took", time.Since(start).Round(time.Millisecond), "error", err)
	if err == nil {
		return strings.TrimRight(stdout.String(), "\n"), nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", &clientError{Call: call, Err: err}
	}
	return "", &clientError{Call: call, Text: complaint(stderr.String()), Err: err}
}

// complaint takes the client's error out of what it wrote to stderr: hints for newcomers may stand before it.
func complaint(stderr string) string {
	text := strings.TrimSpace(stderr)
	if i := strings.LastIndex(text, "Error: "); i >= 0 {
		text = text[i+len("Error: "):]
	}
	return strings.TrimSpace(text)
}

// query calls the REST API: body goes in as JSON, out is filled from the answer; both may be nil. A call that starts
// an operation returns when the operation is over.
func (c *client) query(ctx context.Context, method, path string, body, out any) error {
	return c.queryIn(ctx, c.project, method, path, body, out)
}

// queryIn calls the REST API for another project than the lab's.
func (c *client) queryIn(ctx context.Context, project, method, path string, body, out any) error {
	args := []string{"query"}
	if method != "GET" {
		args = append(args, "--wait", "-X", method)
	}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		args = append(args, "-d", string(text))
	}
	args = append(args, c.on(withProject(path, project)))
	answer, err := c.run(ctx, nil, args...)
	if err != nil || out == nil || answer == "" { // the client prints nothing for an empty object
		return err
	}
	if err := json.Unmarshal([]byte(answer), out); err != nil {
		return fmt.Errorf("%s %s: %w: is the incus client older than 6.0?", method, path, err)
	}
	return nil
}

// shell runs a script as root in an instance and returns what it wrote to stdout.
func (c *client) shell(ctx context.Context, instance, script string, args ...string) (string, error) {
	call := []string{"exec", "--force-noninteractive"}
	if c.project != "" {
		call = append(call, "--project", c.project)
	}
	call = append(call, c.on(instance), "--", "sh", "-s", "--")
	return c.run(ctx, strings.NewReader(script), append(call, args...)...)
}

// on puts the remote before a name or a path.
func (c *client) on(name string) string {
	if c.remote == "" {
		return name
	}
	return c.remote + ":" + name
}

func withProject(path, project string) string {
	if project == "" {
		return path
	}
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return path + separator + "project=" + url.QueryEscape(project)
}
