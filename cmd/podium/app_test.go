package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"podium/provision/lab"
	"podium/provision/machine"
	"podium/provision/state"
)

// inProcess runs podium here, without terminal and signals.
func inProcess(t *testing.T, words ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(environment{
		Args: words, Environ: []string{"TERM=xterm"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Now: time.Now,
		Exit: func(int) { t.Error("left at once") },
	})
	return code, out.String(), errs.String()
}

func TestEveryVerbHasHelp(t *testing.T) {
	a := &app{environment: environment{Stdout: io.Discard, Stderr: io.Discard}, stdout: newStream(io.Discard), stderr: newStream(io.Discard)}
	commands := a.rootCommand().Commands()
	for len(commands) > 0 {
		c := commands[0]
		commands = append(commands[1:], c.Commands()...)
		if c.Name() == "help" || c.Hidden {
			continue
		}
		if c.Long == "" || c.Short == "" || c.Example == "" {
			t.Errorf("%s: needs Short, Long and Example", c.CommandPath())
		}
		for line := range strings.Lines(c.Long) {
			if len([]rune(strings.TrimRight(line, "\n"))) > 100 {
				t.Errorf("%s: a line of Long is wider than 100 columns: %q", c.CommandPath(), line)
			}
		}
		if code, out, errs := inProcess(t, append(strings.Fields(c.CommandPath())[1:], "--help")...); code != 0 || out == "" || errs != "" {
			t.Errorf("%s --help: exit code %d, stderr %q", c.CommandPath(), code, errs)
		}
	}
}

// A reader that left must neither fail the run nor end it.
func TestStreamSurvivesAReaderThatLeft(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: needs pipes that say EPIPE")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	s := newStream(w)
	for range 3 {
		if n, err := s.Write([]byte("text")); n != 4 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if !s.Gone() {
		t.Error("does not say that the reader left")
	}
	r, w2, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w2.Close()
	s = newStream(w2)
	if s.Gone() {
		t.Error("says that the reader left, who is there")
	}
	r.Close()
	if !s.Gone() {
		t.Error("notices only when it writes that the reader left")
	}
	if err := s.failure(); err != nil {
		t.Error(err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestOutputThatCannotBeWrittenFails(t *testing.T) {
	var errs bytes.Buffer
	code := run(environment{Args: []string{"version"}, Stdin: strings.NewReader(""), Stdout: fullDisk{}, Stderr: &errs, Now: time.Now})
	if code != exitFailed || !strings.Contains(errs.String(), "cannot write the output: no space left on device") {
		t.Errorf("exit code %d, stderr %q", code, errs.String())
	}
}

func TestInterrupts(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	var said []string
	left := 0
	i := &interrupts{cancel: cancel, exit: func(code int) { left = code }, say: func(f string, args ...any) { said = append(said, fmt.Sprintf(f, args...)) }}
	restored := false
	restore := func() { restored = true }
	i.restore.Store(&restore)
	i.interrupt()
	if !errors.Is(context.Cause(ctx), errInterrupted) || len(said) != 1 || left != 0 || restored {
		t.Fatalf("after the first: cause %v, said %q, left %d", context.Cause(ctx), said, left)
	}
	i.interrupt()
	if left != exitInterrupted || !restored {
		t.Errorf("after the second: left with %d, terminal restored: %v", left, restored)
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{fail(exitPreflight, "x"), 3},
		{fmt.Errorf("wrapped: %w", usage("x")), 2},
		{lab.Problems{{Message: "x"}}, 2},
		{fmt.Errorf("prepare: %w", machine.ErrPreflight), 3},
		{exitStatus(42), 42},
		{interrupted(errors.New("x")), 130},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

func TestUnicodeLocale(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("skipped: needs Linux, where the locale decides")
	}
	for env, want := range map[string]bool{
		"LANG=ko_KR.UTF-8": true, "LANG=C.utf8": true, "LANG=C": false, "": false,
		"LC_ALL=C LANG=ko_KR.UTF-8": false, "LC_CTYPE=de_DE.UTF-8 LANG=C": true,
	} {
		get := func(name string) string {
			for _, f := range strings.Fields(env) {
				if key, value, _ := strings.Cut(f, "="); key == name {
					return value
				}
			}
			return ""
		}
		if got := unicodeLocale(get); got != want {
			t.Errorf("%q: %v", env, got)
		}
	}
}

func TestGetenvTakesTheLast(t *testing.T) {
	a := &app{environment: environment{Environ: []string{"A=1", "B=2", "A=3=4"}}}
	if got := a.getenv("A"); got != "3=4" {
		t.Errorf("A = %q", got)
	}
	if got := a.getenv("C"); got != "" {
		t.Errorf("C = %q", got)
	}
}

// tail follows a log that is written, rotated and started afresh.
func TestTailReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := &tailReader{path: path}
	defer r.close()
	read := func() string {
		t.Helper()
		var got []string
		if err := r.read(func(line []byte) { got = append(got, string(line)) }); err != nil {
			t.Fatal(err)
		}
		return strings.Join(got, "|")
	}
	write := func(text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string) {
		t.Helper()
		if got := read(); got != want {
			t.Errorf("read %q, want %q", got, want)
		}
	}
	expect("")
	write("one\ntw")
	expect("one")
	write("o\nthree\n")
	expect("two|three")
	long := strings.Repeat("x", 200<<10)
	write(long + "\n")
	expect(long)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	expect("")
	write("four\n")
	expect("four")
}

func TestDivertedStream(t *testing.T) {
	var first, second bytes.Buffer
	s := newStream(&first)
	fmt.Fprint(s, "a")
	restore := s.divert(&second)
	fmt.Fprint(s, "b")
	restore()
	fmt.Fprint(s, "c")
	if first.String() != "ac" || second.String() != "b" {
		t.Errorf("first %q, second %q", first.String(), second.String())
	}
}

// testBench is a lab of four nodes.
func testBench() *labSession {
	machines := map[string]state.Machine{"cp": {Roles: []string{"control-plane"}}}
	for _, w := range []string{"w1", "w2", "w10"} {
		machines[w] = state.Machine{Roles: []string{"worker"}}
	}
	return &labSession{known: state.State{Machines: machines}}
}

func TestNaturalOrder(t *testing.T) {
	b := testBench()
	if got := strings.Join(b.nodeNames(), " "); got != "cp w1 w2 w10" {
		t.Error(got)
	}
	if naturalOrder("a01", "a1") == 0 || naturalOrder("a", "a1") >= 0 || naturalOrder("b2c", "b2b") <= 0 {
		t.Error("order of equal numbers")
	}
}

func TestSelectNodes(t *testing.T) {
	b := testBench()
	for _, c := range []struct {
		s    selection
		want string
	}{
		{selection{}, "cp w1 w2 w10"},
		{selection{nodes: []string{"w2", "cp"}}, "cp w2"},
		{selection{roles: []string{"worker"}}, "w1 w2 w10"},
		{selection{roles: []string{"worker"}, nodes: []string{"w1", "cp"}}, "w1"},
		{selection{roles: []string{"control-plane", "worker"}, nodes: []string{"w1", "cp"}}, "cp w1"},
		{selection{roles: []string{"control-plane"}, nodes: []string{"w1"}}, "none of the nodes w1 has the role control-plane"},
		{selection{nodes: []string{"w1..w2"}}, "w1 w2"},
		{selection{nodes: []string{"w1..w3"}}, `this lab has no node "w3": there are cp, w1, w2, w10`},
		{selection{nodes: []string{"w*"}}, "w1 w2 w10"},
		{selection{nodes: []string{"w[12]", "cp"}}, "cp w1 w2"},
		{selection{nodes: []string{"?2"}}, "w2"},
		{selection{nodes: []string{"x*"}}, `no node of this lab fits "x*": there are cp, w1, w2, w10`},
		{selection{nodes: []string{"w["}}, `"w[" is not a pattern: write one such as w* or n[1-3]`},
		{selection{nodes: []string{"x"}}, `this lab has no node "x": there are cp, w1, w2, w10`},
		{selection{roles: []string{"x"}}, `no node has the role "x": there are control-plane, worker`},
	} {
		names, err := b.selectNodes(c.s)
		got := strings.Join(names, " ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.s, got, c.want)
		}
	}
}

func TestNodeWords(t *testing.T) {
	var w nodeWords
	for _, text := range []string{"n1, n2", "n3 n4", ",n5,"} {
		if err := w.Set(text); err != nil {
			t.Error(err)
		}
	}
	if got := w.String(); got != "n1,n2,n3,n4,n5" {
		t.Error(got)
	}
	for _, text := range []string{"", " ", ","} { // never all nodes
		if err := w.Set(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestConcurrentWritesToAStream(t *testing.T) {
	var b bytes.Buffer
	s := newStream(&b)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { fmt.Fprintln(s, "line") })
	}
	wg.Wait()
	if got := strings.Count(b.String(), "line\n"); got != 20 {
		t.Errorf("%d whole lines", got)
	}
}

func TestListNames(t *testing.T) {
	for names, want := range map[string]string{
		"w1 w2 w3": "w1, w2, w3", "w1 w2 w3 w4": "w1..w4", "cp w1 w2 w3 w4 w6 ops": "cp, w1..w4, w6, ops",
		"w9 w10 w11 w12": "w9..w12", "w01 w02 w03 w04": "w01, w02, w03, w04", "a1 b2 c3 d4": "a1, b2, c3, d4", "w4 w3 w2 w1": "w4, w3, w2, w1",
	} {
		got := listNames(strings.Fields(names))
		if got != want {
			t.Errorf("%s: %q, want %q", names, got, want)
		}
		var back []string
		for _, word := range strings.Split(got, ", ") {
			back = append(back, spellOut(word)...)
		}
		if strings.Join(back, " ") != names {
			t.Errorf("%q is spelled out as %q", got, back)
		}
	}
	for _, word := range []string{"w1..x3", "w3..w1", "w1..", "..w1", "w..x", "w1..w99999999"} {
		if got := spellOut(word); len(got) != 1 || got[0] != word {
			t.Errorf("%q is spelled out as %d names", word, len(got))
		}
	}
}

// What nodes say passes a terminal as text and colours, and a file or a pipe as it is.
func TestStreamToATerminal(t *testing.T) {
	var b bytes.Buffer
	s := newStream(&b)
	fmt.Fprint(s, "\x1b[2Jraw")
	s.tty = true
	fmt.Fprint(s, "\x1b]0;title\x07\x1b[31mred\x1b[m\x1b[1A\n")
	fmt.Fprint(s.raw(), "\r\x1b[K")
	if got, want := b.String(), "\x1b[2Jraw\x1b[31mred\x1b[m\n\r\x1b[K"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
