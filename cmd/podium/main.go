// Command podium makes, resets and tears down virtual machine labs: one lab.yaml, one command.
package main

import "os"

func main() {
	os.Exit(run(system()))
}
