package main

import (
	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/remote"
)

// provider makes what makes the lab's machines. This switch is the only place that knows all of them.
func (a *app) provider(b *bench) (machine.Provider, error) {
	if b.simFile != "" && b.lab.Provider != lab.ProviderSim {
		return nil, usage("--sim-file is for the provider sim, and this lab uses %s", b.lab.Provider)
	}
	switch b.lab.Provider {
	case lab.ProviderVirtualBox, lab.ProviderLibvirt:
		return nil, fail(exitPreflight, "this build has no provider %s", b.lab.Provider).hinted("use --provider sim, static or incus")
	}
	return nil, usage("no provider is called %q", b.lab.Provider)
}

// newDialer connects to the lab's nodes with its own key and the agent's, and with host keys pinned in .podium.
func (a *app) newDialer(b *bench) *remote.Dialer {
	return remote.NewDialer(remote.DialOptions{
		KnownHosts: b.state.Path("known_hosts"),
		KeyFile:    b.state.Path(keyName),
		Agent:      true,
		Log:        a.log.Named("ssh"),
	})
}
