package state

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// lockChild is set in the process that TestLockEndsWithItsProcess starts and kills.
const lockChild = "PODIUM_TEST_LOCK"

func TestLock(t *testing.T) {
	d := open(t)
	ctx := context.Background()
	if err := errors.Join(d.makeDir(), os.WriteFile(d.Path(".state.json.123"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	unlock, err := d.Lock(ctx, "podium up")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.Path(".state.json.123")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a killed process has left is still there: %v", err)
	}
	other, err := Open(d.Lab())
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Lock(ctx, "podium destroy")
	locked, ok := errors.AsType[*LockedError](err)
	if !ok || !errors.Is(err, ErrLocked) || locked.Holder == nil {
		t.Fatalf("second lock gives %v", err)
	}
	if h := locked.Holder; h.PID != os.Getpid() || h.Command != "podium up" || time.Since(h.Since) > time.Minute || h.User == "" || h.Host == "" {
		t.Errorf("holder is %+v", h)
	}
	for _, part := range []string{"podium up", "since", d.Path("lock")} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
	if err := os.WriteFile(d.Path("lock.json"), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Lock(ctx, "podium destroy"); !errors.Is(err, ErrLocked) {
		t.Errorf("with an unreadable note the lock gives %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := other.Lock(ctx, "podium destroy")
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" { // where an open file, such as the lock, cannot be removed
		if err := errors.Join(again(), d.Remove()); err != nil {
			t.Error(err)
		}
		return
	}
	if err := errors.Join(d.Remove(), again()); err != nil {
		t.Errorf("unlock of a lab whose directory is gone gives %v", err)
	}
}

func TestLockEndsWithItsProcess(t *testing.T) {
	if dir := os.Getenv(lockChild); dir != "" {
		d, err := Open(dir)
		if err == nil {
			_, err = d.Lock(context.Background(), "podium up")
		}
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("locked\n")
		time.Sleep(time.Hour)
	}
	d := open(t)
	child := exec.Command(os.Args[0], "-test.run=TestLockEndsWithItsProcess")
	child.Env = append(os.Environ(), lockChild+"="+d.Lab())
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lock(context.Background(), "podium up"); !errors.Is(err, ErrLocked) {
		t.Errorf("while the other lives, lock gives %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	unlock, err := d.Lock(context.Background(), "podium up")
	if err != nil {
		t.Fatalf("after the other was killed, lock gives %v", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}
