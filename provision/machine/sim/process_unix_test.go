//go:build unix

package sim_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func hostPID(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "host.json"))
	if err != nil {
		t.Fatal(err)
	}
	var l struct{ PID int }
	if err := json.Unmarshal(text, &l); err != nil {
		t.Fatal(err)
	}
	return l.PID
}

func kill(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Kill(hostPID(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// alive reports whether a process runs.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil && !zombie(pid) }

// zombie reports whether a process has ended and only its parent has not noticed.
func zombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(text), ") Z ")
}
