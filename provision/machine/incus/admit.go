package incus

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"podium/provision/lab"
)

// admitScript puts the lab's user on a node and prints the node's public host keys.
//
//go:embed admit.sh
var admitScript string

// agentTime is how long a virtual machine may take until Incus can run commands in it.
const agentTime = 5 * time.Minute

// admit makes the node accept the lab's key, and notes its host keys in the instance's config: a later command finds
// them there without asking the node.
func (p *Provider) admit(ctx context.Context, m lab.Machine, i instance) (instance, error) {
	said, err := p.shellWhenUp(ctx, i, m.Name, p.spec.Lab.User, strings.TrimSpace(p.spec.PublicKey))
	if err != nil {
		return i, p.explain("putting user "+p.spec.Lab.User+" on "+m.Name, err)
	}
	var keys []string
	note := map[string]string{}
	for _, line := range lines(said) {
		switch {
		case line != cgroupV1:
			keys = append(keys, line)
		case byTime(m, i.Type) && i.Config["limits.cpu"] != "":
			maps.Copy(note, limitsByTime(m))
		}
	}
	if len(keys) == 0 || !strings.HasPrefix(keys[0], "ssh-") && !strings.HasPrefix(keys[0], "ecdsa-") {
		return i, &Error{Doing: "reading the host keys of " + m.Name, Text: fmt.Sprintf("%q", said), Hint: "incus exec " + i.Name + " -- systemctl status ssh"}
	}
	again := len(note) > 0 // processors once given are taken back only at a start
	note[keyHostKeys] = strings.Join(keys, "\n")
	if err := p.client.query(ctx, "PATCH", path(i, ""), map[string]any{"config": note}, nil); err != nil {
		return i, p.explain("noting the host keys of "+m.Name, err)
	}
	i.Config = merged(i.Config, note)
	p.keep(m.Name, func(kept *instance) { *kept = i })
	if again {
		body := map[string]any{"action": "restart", "timeout": int(haltTime.Seconds()), "force": true}
		if err := p.client.query(ctx, "PUT", path(i, "/state"), body, nil); err != nil {
			return i, p.explain("restarting "+m.Name, err)
		}
	}
	return i, nil
}

// cgroupV1 is the line by which the script says that the server has control groups of version 1.
const cgroupV1 = "cgroup-v1"

func merged(config, more map[string]string) map[string]string {
	all := maps.Clone(config)
	maps.Copy(all, more)
	return all
}

// startTries is how often a command is tried in a container that Incus could not enter: right after its start that may
// pass (seen once with Incus 6.0.4 on a busy server).
const startTries = 5

// shellWhenUp runs the script as soon as Incus can run anything in the instance: at once in a container, after its agent
// has started in a virtual machine.
func (p *Provider) shellWhenUp(ctx context.Context, i instance, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, agentTime)
	defer cancel()
	for try := 1; ; try++ {
		out, err := p.client.shell(ctx, i.Name, admitScript, args...)
		starting := says(err, "agent isn't currently running") || try < startTries && says(err, "Failed to retrieve PID of executing child process")
		if !starting {
			return out, err
		}
		select {
		case <-ctx.Done():
			return "", &Error{Doing: "waiting for the agent in " + i.Name, Text: "none after " + agentTime.String(),
				Hint: "the image must contain incus-agent, as those of images: do; incus console " + i.Name + " shows how far it booted"}
		case <-time.After(time.Second):
		}
	}
}

// lines splits text into its lines that are not empty.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
}

func unmarshal(text string, into any) error { return json.Unmarshal([]byte(text), into) }
