package folder

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestRemoveWhatIsOpen: a process that ends, or a virus scanner, holds a file for a moment.
func TestRemoveWhatIsOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sim", "host.log")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	held, err := os.Create(path) // does not let others delete it
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); !isBusy(err) {
		t.Fatalf("removing an open file gives %v", err)
	}
	time.AfterFunc(200*time.Millisecond, func() { held.Close() })
	if err := At(dir).RemoveAll("sim"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}
