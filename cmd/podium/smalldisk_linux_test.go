package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// mounts reports whether the scripts may mount a file system: the condition [mounts].
func mounts() bool { return os.Geteuid() == 0 }

// smalldisk mounts a file system of 1 MiB at a folder until the script's end: smalldisk FOLDER.
func smalldisk(ts *testscript.TestScript, neg bool, words []string) {
	if neg || len(words) != 1 {
		ts.Fatalf("usage: smalldisk FOLDER")
	}
	dir := ts.MkAbs(words[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
	ts.Defer(func() { ts.Check(syscall.Unmount(dir, syscall.MNT_DETACH)) })
}

func TestFullDiskIsExplained(t *testing.T) {
	var out bytes.Buffer
	a := &app{stderr: newStream(&out)}
	a.printError(fmt.Errorf("save: %w", &os.PathError{Op: "write", Path: "state.json", Err: syscall.ENOSPC}))
	if !strings.Contains(out.String(), "podium destroy, halt and snapshot delete work all the same") {
		t.Errorf("a full disk is told as %q", out.String())
	}
}
