package main

import (
	"errors"
	"os/exec"
	"time"

	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/machine/incus"
	"podium/provision/machine/sim"
	"podium/provision/machine/static"
	"podium/provision/machine/vagrant"
	"podium/provision/remote"
)

// provider makes what makes the lab's machines. This switch is the only place that knows all of them.
func (a *app) provider(b *labSession) (machine.Provider, error) {
	if b.simFile != "" && b.lab.Provider != lab.ProviderSim {
		return nil, usage("--sim-file is for the provider sim, and this lab uses %s", b.lab.Provider)
	}
	switch b.lab.Provider {
	case lab.ProviderVirtualBox, lab.ProviderLibvirt:
		return vagrant.New(vagrant.Options{
			Provider: b.lab.Provider, Lab: b.lab.Name, Dir: b.state.Path("vagrant"), Dialer: a.newDialer(b, 0),
			BootParallel: b.bootParallel, FastBoot: b.fastBoot, Sink: b.events(), Log: a.log.Named("vagrant"),
		}), nil
	case lab.ProviderSim:
		return sim.New(sim.Options{
			Lab: b.lab.Name, Dir: b.state.Path("sim"), Version: readBuildInfo().Version, File: b.simFile, Log: a.log.Named("sim"),
		}), nil
	case lab.ProviderStatic:
		return static.New(static.Options{Machines: lab.Machines(b.lab), User: b.lab.User, Dir: b.state.Lab()}), nil
	case lab.ProviderIncus:
		return incus.New(incus.Options{
			Lab: b.lab.Name, Dir: b.state.Path("incus"), Folder: b.state.Lab(), Incus: b.lab.Incus, Log: a.log.Named("incus"),
		})
	}
	return nil, usage("no provider is called %q", b.lab.Provider)
}

// newDialer connects to the lab's nodes with its own key and the agent's, and with host keys pinned in .podium. deadline is how
// long a node that boots is waited for; 0: as long as its provider may need; negative: not at all.
func (a *app) newDialer(b *labSession, deadline time.Duration) *remote.Dialer {
	if deadline == 0 {
		deadline = bootDeadline(b.lab)
	}
	return remote.NewDialer(remote.DialOptions{
		KnownHosts: b.state.Path("known_hosts"),
		KeyFile:    b.state.Path(keyName),
		Agent:      true,
		Deadline:   deadline,
		Answer:     b.lab.SSHLimit(),
		Log:        a.log.Named("ssh"),
	})
}

// isPreflightError reports whether this computer lacks something, found before anything was changed.
func isPreflightError(err error) bool {
	return errors.Is(err, machine.ErrPreflight) || errors.Is(err, exec.ErrNotFound)
}

// bootDeadline is how long a node that boots is waited for. Real machines on a loaded computer, or without hardware
// virtualisation, were seen to take more than the two minutes that do for others.
func bootDeadline(l lab.Lab) time.Duration {
	switch {
	case l.BootTimeout != "":
		return l.BootLimit()
	case l.Provider == lab.ProviderVirtualBox || l.Provider == lab.ProviderLibvirt:
		return 5 * time.Minute
	}
	return remote.DefaultDeadline
}
