package sim_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"podium/provision/machine"
	"podium/provision/machine/sim"
)

func TestLongFolder(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), strings.Repeat("실습", 60), strings.Repeat("lab", 30), "sim")
	p := sim.New(sim.Options{Lab: "long", Dir: dir, Executable: self, Version: "test"})
	if err := p.Prepare(t.Context(), machine.Spec{}); err == nil || !strings.Contains(err.Error(), "move the lab to a folder with a shorter path") {
		t.Errorf("got %v", err)
	}
}
