//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"podium/provision/remote/remotetest"
)

// What has no end is refused, on either side, and files whose size the kernel does not say are copied whole.
func TestCopySpecialFiles(t *testing.T) {
	servers := testNodes(t, map[string]remotetest.Handler{"cp": nil})
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(servers["cp"].Root(), "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, words := range map[string][]string{
		"cannot copy pipe: it is a device, a socket or a named pipe": {"pipe", "cp:/x"},
		"get /pipe: it is a named pipe":                              {"cp:/pipe", "got"},
	} {
		if code, _, errs := inProcess(t, append([]string{"copy"}, words...)...); code == 0 || !strings.Contains(errs, want) {
			t.Errorf("copy %v: exit code %d, %s, want %q", words, code, errs, want)
		}
	}
	if _, err := os.Stat("/proc/version"); err != nil {
		t.Skip("skipped: needs /proc: run it on Linux")
	}
	if code, _, errs := inProcess(t, "copy", "/proc/version", "cp:/version"); code != 0 {
		t.Errorf("exit code %d, %s", code, errs)
	} else if got := read(t, filepath.Join(servers["cp"].Root(), "version")); got != read(t, "/proc/version") {
		t.Errorf("version holds %q", got)
	}
}
