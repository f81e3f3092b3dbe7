// Package command models the commands that every Linux machine has: files, text, processes, users. What belongs to
// one subject (packages, services, kernel, Kubernetes) has a package of its own.
//
// A model does what scripts can see: output, exit code, files, state. What it does not know it refuses loudly.
package command

import (
	"podium/provision/machine/sim/guest"
)

// Programs returns the programs of this package by name.
func Programs() guest.Programs {
	all := guest.Programs{}
	for _, set := range []guest.Programs{files(), texts(), systems(), filters(), archives(), cryptos()} {
		for name, run := range set {
			all[name] = run
		}
	}
	return all
}

const usage = 2 // exit code for wrong arguments
