//go:build !windows

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds every wait of the scripts: far more than any takes, on the slowest machine.
const patience = 60 * time.Second

// command prepares podium as ts.Exec would.
func command(ts *testscript.TestScript, words []string) *exec.Cmd {
	path, err := exec.LookPath(words[0]) // testscript puts podium on the PATH of the test
	ts.Check(err)
	c := exec.Command(path, words[1:]...)
	c.Dir = ts.MkAbs(".")
	c.Env = scriptEnviron(ts)
	return c
}

// scriptEnviron is the environment of the script's commands.
func scriptEnviron(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "WORK", "TMPDIR", "LABS", "PODIUM_TEST"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return append(env, "PWD="+ts.MkAbs("."), "TERM=dumb")
}

// matches reports whether a file has text that fits.
func matches(ts *testscript.TestScript, file, pattern string) bool {
	text, err := os.ReadFile(ts.MkAbs(file))
	return err == nil && regexp.MustCompile(pattern).Match(text)
}

// waitfor waits until a file has text that fits: waitfor FILE PATTERN.
func waitfor(ts *testscript.TestScript, neg bool, words []string) {
	if neg || len(words) != 2 {
		ts.Fatalf("usage: waitfor FILE PATTERN")
	}
	for end := time.Now().Add(patience); !matches(ts, words[0], words[1]); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("%s has no text that fits %q after %v", words[0], words[1], patience)
		}
	}
}

// interrupt starts podium, waits until FILE has text that fits PATTERN, sends TIMES SIGINTs, and wants exit code 130:
// interrupt TIMES FILE PATTERN podium WORDS... The last line of stderr is left in the file interrupted.
func interrupt(ts *testscript.TestScript, neg bool, words []string) {
	if neg || len(words) < 5 {
		ts.Fatalf("usage: interrupt TIMES FILE PATTERN podium WORDS...")
	}
	times, err := strconv.Atoi(words[0])
	ts.Check(err)
	var errs bytes.Buffer
	c := command(ts, words[3:])
	stderr, err := c.StderrPipe()
	ts.Check(err)
	ts.Check(c.Start())
	defer c.Process.Kill()
	waitfor(ts, false, words[1:3])
	ts.Check(c.Process.Signal(os.Interrupt))
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		errs.WriteString(lines.Text() + "\n")
		// The second one comes when the first has been heard.
		if times == 2 && strings.Contains(lines.Text(), "press Ctrl-C again") {
			ts.Check(c.Process.Signal(os.Interrupt))
		}
	}
	_ = c.Wait()
	ts.Check(os.WriteFile(ts.MkAbs("interrupted"), errs.Bytes(), 0o644))
	if code := c.ProcessState.ExitCode(); code != exitInterrupted {
		ts.Fatalf("exit code %d, want %d\n%s", code, exitInterrupted, errs.String())
	}
}

// head reads one line of podium's output and closes the pipe, as "| head -1" does: head podium WORDS... It wants exit
// code 0 and nothing on stderr.
func head(ts *testscript.TestScript, neg bool, words []string) {
	if neg || len(words) < 2 {
		ts.Fatalf("usage: head podium WORDS...")
	}
	var errs bytes.Buffer
	c := command(ts, words)
	c.Stderr = &errs
	r, w, err := os.Pipe()
	ts.Check(err)
	c.Stdout = w
	ts.Check(c.Start())
	ts.Check(w.Close())
	line, err := bufio.NewReaderSize(r, 16).ReadSlice('\n')
	if len(line) == 0 {
		ts.Fatalf("no output: %v", err)
	}
	ts.Check(r.Close())
	if err := c.Wait(); err != nil || errs.Len() > 0 {
		ts.Fatalf("%v: %v\n%s", words, err, errs.String())
	}
}

// killsim kills the simulator's process of a lab: killsim FOLDER.
func killsim(ts *testscript.TestScript, neg bool, words []string) {
	if neg || len(words) != 1 {
		ts.Fatalf("usage: killsim FOLDER")
	}
	pid := simulator(ts, words[0])
	ts.Check(syscall.Kill(pid, syscall.SIGKILL))
}

// simulator is the process that hosts a lab's simulated nodes.
func simulator(ts *testscript.TestScript, folder string) int {
	text, err := os.ReadFile(ts.MkAbs(folder + "/.podium/sim/host.json"))
	ts.Check(err)
	var lease struct {
		PID int `json:"pid"`
	}
	ts.Check(json.Unmarshal(text, &lease))
	if lease.PID == 0 {
		ts.Fatalf("no process in %s", text)
	}
	return lease.PID
}

// unixCommands are the commands of scripts that need signals and pipes of Unix.
func unixCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"waitfor": waitfor, "interrupt": interrupt, "head": head, "killsim": killsim,
	}
}
