package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestExamplesFitEveryShell: cmd.exe hands single quotes on as they are, and ends a command at a | between them.
func TestExamplesFitEveryShell(t *testing.T) {
	a := &app{stdout: newStream(nil), stderr: newStream(nil)}
	examples := 0
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for line := range strings.Lines(c.Long + "\n" + c.Example) {
			_, call, found := strings.Cut(line, "podium ")
			call, _, _ = strings.Cut(call, "  #") // a remark
			if !found {
				continue
			}
			examples++
			if strings.Contains(call, " '") {
				t.Errorf("%s: %q: write double quotes", c.CommandPath(), strings.TrimSpace(line))
			}
		}
		for _, verb := range c.Commands() {
			walk(verb)
		}
	}
	walk(a.rootCommand())
	if examples < 20 {
		t.Errorf("found %d examples only", examples)
	}
}
