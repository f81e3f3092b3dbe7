package main

import (
	"path/filepath"
	"testing"
)

// TestFolderInQuotes: "my labs\" comes as my labs".
func TestFolderInQuotes(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, filepath.Join("my labs", "lab.yaml"), "name: lab\nnodes: [{name: n1, memory: 512MiB}]\n")
	if code, _, errs := inProcess(t, "validate", `my labs"`); code != 0 {
		t.Errorf("exit code %d, %s", code, errs)
	}
	if code, _, errs := inProcess(t, "plan", "--lab", `my labs"`); code != 0 {
		t.Errorf("exit code %d, %s", code, errs)
	}
}
