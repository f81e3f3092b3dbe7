package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScript runs every verb as a user does: a process of its own, on labs of the simulator.
func TestScript(t *testing.T) {
	commands := unixCommands()
	commands["exits"], commands["smalldisk"] = exits, smalldisk
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			for _, entry := range []string{"NO_COLOR", "PODIUM_LOG", "CI", "SSH_AUTH_SOCK"} {
				e.Setenv(entry, "")
			}
			labs, err := filepath.Abs(filepath.Join("..", "..", "labs"))
			e.Setenv("LABS", labs)
			return err
		},
		Cmds: commands,
		Condition: func(name string) (bool, error) {
			if name != "mounts" {
				return false, fmt.Errorf("the condition %q is not known", name)
			}
			return mounts(), nil
		},
	})
}

// exits runs podium and compares its exit code: exits 2 podium plan nowhere. Its output stands ready for stdout and
// stderr as after exec.
func exits(ts *testscript.TestScript, neg bool, words []string) {
	if neg || len(words) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(words[1], words[2:]...)
	code := "0"
	if err != nil {
		code = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if code != words[0] {
		ts.Fatalf("%s: exit code %s, want %s", strings.Join(words[1:], " "), code, words[0])
	}
}
