package main

import "github.com/rogpeppe/go-internal/testscript"

// unixCommands: the scripts that use them say [!unix] skip.
func unixCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){}
}
