package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"podium/provision/remote/remotetest"
)

// echoes gives its input back, byte for byte.
func echoes(_ context.Context, e *remotetest.Exec) int {
	if _, err := io.Copy(e.Stdout, e.Stdin); err != nil {
		return 1
	}
	return 0
}

// execWith runs podium with an input of its own.
func execWith(t *testing.T, in io.Reader, words ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(environment{Args: words, Environ: []string{"TERM=xterm"}, Stdin: in, Stdout: &out, Stderr: &errs, Now: time.Now})
	return code, out.String(), errs.String()
}

func TestExecSendsStdinToEveryNode(t *testing.T) {
	testNodes(t, map[string]remotetest.Handler{"cp": echoes, "w1": echoes, "w2": echoes})
	code, out, errs := execWith(t, strings.NewReader("one\ntwo\n"), "exec", "--", "cat")
	if want := "cp | one\ncp | two\nw1 | one\nw1 | two\nw2 | one\nw2 | two"; code != 0 || sortLines(out) != want {
		t.Errorf("exit code %d\n%s\n%s", code, out, errs)
	}
	code, out, errs = execWith(t, strings.NewReader("one\n"), "exec", "-n", "--", "cat")
	if code != 0 || out != "" || errs != "" {
		t.Errorf("-n: exit code %d\n%s\n%s", code, out, errs)
	}
}

// A node that is gone and a command that reads nothing must not hold up the others, nor must input that never ends.
func TestExecStdinWaitsForNobody(t *testing.T) {
	servers := testNodes(t, map[string]remotetest.Handler{"cp": echoes, "w1": says("", "", 0), "w2": echoes})
	servers["w2"].Deny(true)
	big := bytes.Repeat([]byte("0123456789abcdef\n"), 1<<16) // 1 MiB, more than any window of SSH
	code, out, errs := execWith(t, bytes.NewReader(big), "exec", "--", "cat")
	if code != 1 || strings.Count(out, "cp | ") != 1<<16 || !strings.Contains(errs, "failed on 1 of 3 nodes") {
		t.Errorf("exit code %d, %d bytes of output\n%s", code, len(out), errs)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if code, _, errs := execWith(t, r, "exec", "--on", "w1", "--", "true"); code != 0 {
		t.Errorf("input that never ends: exit code %d\n%s", code, errs)
	}
}

func TestSpoolIsTrueToEveryByte(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	text := make([]byte, 300_000)
	for i := range text {
		text[i] = byte(i * 7)
	}
	s, err := newSpool(io.MultiReader(bytes.NewReader(text[:1]), bytes.NewReader(text[1:])))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := io.ReadAll(s.reader())
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Who waits for more when the spool is closed is told so, and takes no part for the whole.
func TestSpoolCloseEndsReaders(t *testing.T) {
	r, w := io.Pipe()
	s, err := newSpool(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("part")); err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	reader := s.reader()
	if _, err := io.ReadFull(reader, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := reader.Read(make([]byte, 1))
		got <- err
	}()
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if err := <-got; !errors.Is(err, os.ErrClosed) {
		t.Errorf("the reader got %v", err)
	}
	_ = w.Close()
}
