package state

import (
	"os"
	"strings"
	"testing"
)

func TestHolder(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if h := d.Holder(); h != nil {
		t.Errorf("a lab that was never made is held by %v", h)
	}
	if d.Exists() {
		t.Error("asking who holds the lab has made its directory")
	}
	unlock, err := d.Lock(t.Context(), "podium up")
	if err != nil {
		t.Fatal(err)
	}
	h := d.Holder()
	if h == nil || h.PID != os.Getpid() || !strings.HasPrefix(h.AtWork(), "podium up is at work (") {
		t.Errorf("held by %v", h)
	}
	note, err := os.ReadFile(d.Path("lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.Path("lock.json"), note, 0o600); err != nil { // as a killed process leaves it
		t.Fatal(err)
	}
	if h := d.Holder(); h != nil {
		t.Errorf("a note without a lock counts: %v", h)
	}
}
