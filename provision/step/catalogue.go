package step

import "slices"

// Catalogue is every step podium knows: which runs where, after what, with which script. The scripts lie in
// scripts/guest; each says in its head what it takes and gives, and takes in files of lib/ by lines of plain bash that
// Text replaces by the files' text, so that what arrives on a node is one file that runs alone. Where the software comes
// from, and from which page podium knows it, stands in package source.
//
// Package work on one machine is not chained beyond what its order needs: apt-get calls of steps that run side by side
// wait for each other (lib/apt.sh).
func Catalogue() []Step {
	return slices.Concat(
		machineSteps(),
		dockerSteps(),
		runtimeSteps(),
		etcdSteps(),
		virtualAddressSteps(),
		clusterSteps(),
		networkSteps(),
		addonSteps(),
		monitoringSteps(),
		jenkinsSteps(),
	)
}

// after names steps that come before on the same machine.
func after(steps ...string) []After {
	list := make([]After, len(steps))
	for i, s := range steps {
		list[i] = After{Step: s}
	}
	return list
}

// everywhereAfter names steps that come before on every machine that has them.
func everywhereAfter(steps ...string) []After {
	list := after(steps...)
	for i := range list {
		list[i].Everywhere = true
	}
	return list
}

func join(lists ...[]After) []After {
	var all []After
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}
