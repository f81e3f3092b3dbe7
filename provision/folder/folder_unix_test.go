//go:build !windows

package folder

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestPipesAndDevices opens what would block or never end.
func TestPipesAndDevices(t *testing.T) {
	_, f := lay(t)
	if err := syscall.Mkfifo(f.Path("pipe"), 0o600); err != nil {
		t.Skipf("named pipes cannot be made here: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if _, err := f.Read("pipe", 100); !errors.Is(err, ErrNotRegular) {
			t.Errorf("read: %v", err)
		}
		if file, err := f.OpenFile("pipe", os.O_RDWR|os.O_APPEND, 0o600); !errors.Is(err, ErrNotRegular) {
			t.Errorf("open for writing: %v, %v", file, err)
		}
		if _, err := ReadFile(f.Path("pipe"), 100); !errors.Is(err, ErrNotRegular) {
			t.Errorf("read by its path: %v", err)
		}
		if _, err := ReadFile("/dev/zero", 100); !errors.Is(err, ErrNotRegular) {
			t.Errorf("read a device: %v", err)
		}
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("opening a named pipe blocks")
	}
}

func TestIsFull(t *testing.T) {
	full := fmt.Errorf("save: %w", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	if !IsFull(full) || IsFull(os.ErrNotExist) || IsFull(nil) {
		t.Error("a full disk is not told from others")
	}
}
