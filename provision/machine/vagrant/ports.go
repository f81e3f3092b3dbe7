package vagrant

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"podium/provision/lab"
)

// ErrPortTaken is a port of this computer that leads to a machine and that another program listens on.
var ErrPortTaken = errors.New("another program uses the port")

// forwarded is a port of this computer that leads to a machine, as showvminfo has it: Forwarding(0)="ssh,tcp,127.0.0.1,22011,,22".
type forwarded struct {
	name string
	port int
}

// sshRule is Vagrant's name for the one that leads to sshd.
const sshRule = "ssh"

// forwardings reads them from showvminfo.
func forwardings(info map[string]string) []forwarded {
	var all []forwarded
	for _, key := range slices.Sorted(maps.Keys(info)) {
		fields := strings.Split(info[key], ",")
		if !strings.HasPrefix(key, "Forwarding(") || len(fields) != 6 {
			continue
		}
		if port, err := strconv.Atoi(fields[3]); err == nil {
			all = append(all, forwarded{name: fields[0], port: port})
		}
	}
	return all
}

// claimPorts makes sure that a machine which is about to start without Vagrant gets the ports of this computer that lead
// to it. VirtualBox starts it without a port that another program has, and says so in a log only; podium would then talk
// to that program. The port of sshd gives way; it is also set again after a snapshot of a time when it was another one.
func (p *Provider) claimPorts(ctx context.Context, v vbox, name, id string) error {
	info, err := v.info(ctx, id)
	if err != nil {
		return err
	}
	for _, f := range forwardings(info) {
		switch known, err := p.recall(name); {
		case err != nil:
			return err
		case f.name != sshRule && !portFree(ctx, f.port):
			return fmt.Errorf("%s: port %d of this computer, which leads to the machine: %w: end that program, or change forward: in lab.yaml and run podium up",
				name, f.port, ErrPortTaken)
		case f.name == sshRule && (f.port != known.Port || !portFree(ctx, f.port)):
			if err := p.moveSSHPort(ctx, v, name, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// moveSSHPort gives a stopped machine the port that is remembered for it, or another one if that is taken.
func (p *Provider) moveSSHPort(ctx context.Context, v vbox, name, id string) error {
	var port int
	var moved []string
	if err := p.remember(func(nodes map[string]nodeState) {
		moved = assignPorts(p.o.Lab, []lab.Machine{{Name: name}}, nodes, func(string) bool { return false }, func(port int) bool { return portFree(ctx, port) })
		port = nodes[name].Port
	}); err != nil {
		return err
	}
	for _, note := range moved {
		p.o.Log.Info(note)
	}
	_, err := v.call(ctx, v.deadline, "modifyvm", id, "--natpf1", "delete", sshRule, "--natpf1", fmt.Sprintf("%s,tcp,127.0.0.1,%d,,22", sshRule, port))
	if err != nil {
		return fmt.Errorf("%s: lead port %d of this computer to it: %w", name, port, err)
	}
	return nil
}
