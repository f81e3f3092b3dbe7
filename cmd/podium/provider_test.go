package main

import (
	"testing"
	"time"

	"podium/provision/lab"
	"podium/provision/remote"
)

// TestBootDeadline: a machine of VirtualBox or libvirt may take longer until its SSH answers than other nodes, but not
// longer than the ten minutes that the Vagrantfile gives it (config.vm.boot_timeout).
func TestBootDeadline(t *testing.T) {
	for provider, longer := range map[string]bool{
		lab.ProviderVirtualBox: true, lab.ProviderLibvirt: true, lab.ProviderIncus: false, lab.ProviderStatic: false, lab.ProviderSim: false,
	} {
		got := bootDeadline(lab.Lab{Provider: provider})
		if longer && (got <= 2*remote.DefaultDeadline || got > 10*time.Minute) || !longer && got != remote.DefaultDeadline {
			t.Errorf("%s: %s", provider, got)
		}
		if got := bootDeadline(lab.Lab{Provider: provider, BootTimeout: "40m"}); got != 40*time.Minute {
			t.Errorf("%s, with boot_timeout: %s", provider, got)
		}
	}
}
