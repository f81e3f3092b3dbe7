//go:build !windows

package engine

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"podium/provision/machine"
	"podium/provision/plan"
	"podium/provision/remote"
	"podium/provision/state"
	"podium/provision/step"
)

func TestRealNodeGetsScriptVariablesFilesAndGivesFacts(t *testing.T) {
	r := newRealNode(t)
	odd := "a 'quoted' \"value\" $HOME `id` \\ \t한국어 ü\nsecond line\n\nEOF\n"
	target := filepath.Join(t.TempDir(), "a dir", "file")
	p := oneStep(`
printf '%s' "$PODIUM_ODD" >"$PODIUM_HOME/odd"
cat "$PODIUM_FILE" >"$PODIUM_HOME/copy"
stat -c %a "$PODIUM_FILE" >"$PODIUM_HOME/mode"
umask >"$PODIUM_HOME/umask"
cat >"$PODIUM_HOME/stdin"
echo "work_url=http://192.0.2.1/?a=b" >>"$PODIUM_FACTS"
echo "secret_work_password=correct horse = battery" >>"$PODIUM_FACTS"`)
	work := task(p, "n1/work")
	work.Script.Text = strings.ReplaceAll(work.Script.Text, "\n", "\r\n")
	work.Vars = map[string]string{"PODIUM_ODD": odd, "PODIUM_FILE": target}
	work.Files = []step.File{{Path: target, Mode: 0o640, Text: "no line end: " + odd + "x"}}
	e, events := r.engine(t, p)
	s := up(t, e)

	for name, want := range map[string]string{
		"odd": odd, "copy": "no line end: " + odd + "x", "mode": "640\n", "umask": "0022\n", "stdin": "",
	} {
		if got := r.read(t, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := s.Nodes[0].Facts; len(got) != 1 || got["work_url"] != "http://192.0.2.1/?a=b" {
		t.Errorf("facts are %v, want work_url alone", got)
	}
	if got := s.Nodes[0].Secrets; len(got) != 1 || got[0] != "secret_work_password" {
		t.Errorf("secrets are %v, want secret_work_password", got)
	}
	for _, ev := range events.of("task-done") {
		if _, leaked := ev.Facts["secret_work_password"]; leaked {
			t.Errorf("event %+v holds a secret", ev)
		}
	}
	known, err := e.Dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	if got := known.Facts["n1"]["secret_work_password"]; got != "correct horse = battery" {
		t.Errorf("state has the secret %q", got)
	}
	marker := r.read(t, "steps/work")
	if !strings.HasPrefix(marker, "digest.script=s-work\ndigest.vars=v-n1\ndigest.files=f\ndone=") {
		t.Errorf("marker is %q", marker)
	}
	if text := r.read(t, "scripts/work.sh"); strings.Contains(text, "\r") {
		t.Errorf("script has kept line ends of Windows: %q", text)
	}
	if left, _ := filepath.Glob(filepath.Join(r.home, "run", "*")); len(left) != 1 || filepath.Base(left[0]) != "work.lock" {
		t.Errorf("left in run: %v, want the lock alone", left)
	}
	again := up(t, e)
	if how := outcomes(again)["n1/work"]; how != Skipped {
		t.Errorf("second up: work is %s, want skipped", how)
	}
}

func TestRealNodeInputsAreSecretAndLeaveNothing(t *testing.T) {
	r := newRealNode(t)
	p := oneStep(`echo "joining with $PODIUM_TOKEN"; printf '%s' "$PODIUM_TOKEN" >"$PODIUM_HOME/token"`)
	task(p, "n1/work").Inputs = []plan.Input{{
		Node: "n1", Script: plan.Script{Name: "input.sh", Text: "echo \"PODIUM_TOKEN=abc${IFS:0:1}def $PODIUM_FOR\" >>\"$PODIUM_FACTS\"\n"},
		Vars: map[string]string{"PODIUM_FOR": "n1"},
	}}
	e, events := r.engine(t, p)
	up(t, e)
	if got := r.read(t, "token"); got != "abc def n1" {
		t.Errorf("script got the token %q", got)
	}
	if err := os.Remove(filepath.Join(r.home, "token")); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{r.home, e.Dir.Path()} {
		if out, _ := exec.Command("grep", "-rl", "abc def", where).Output(); len(out) > 0 {
			t.Errorf("the token stands in %s", out)
		}
	}
	var lines []string
	for _, ev := range events.of("task-output") {
		lines = append(lines, ev.Text)
	}
	if got := strings.Join(lines, "\n"); got != "joining with [secret]" {
		t.Errorf("output is %q, want the token blotted out", got)
	}
}

func TestRealNodeFailedScript(t *testing.T) {
	r := newRealNode(t)
	p := oneStep("for i in {1..30}; do echo line $i; done\necho cause >&2\nexit 3")
	e, _ := r.engine(t, p)
	s, err := e.Up(context.Background(), UpOptions{})
	failure, ok := errors.AsType[*TaskError](err)
	if !ok {
		t.Fatalf("up gives %v, want a *TaskError", err)
	}
	if failure.Hint != "look at work" || len(failure.Last) != keptLines || failure.Last[keptLines-1] != "cause" {
		t.Errorf("failure is %+v", failure)
	}
	exit, ok := errors.AsType[*remote.ExitError](err)
	if !ok || exit.Code != 3 {
		t.Errorf("error has %+v in its chain, want the exit code 3", exit)
	}
	if got := s.Tasks[1]; got.Outcome != Failed || got.Attempts != 1 {
		t.Errorf("work is %+v, want failed at the first try", got)
	}
	log, err := os.ReadFile(failure.Log)
	if err != nil || !strings.Contains(string(log), "line 1\n") || !strings.HasSuffix(string(log), "line 30\ncause\n") {
		t.Errorf("log is %q (%v), want all lines in order", log, err)
	}
	if _, err := os.Stat(filepath.Join(r.home, "steps", "work")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a failed step has a marker: %v", err)
	}
}

func TestRealNodeProbe(t *testing.T) {
	r := newRealNode(t)
	p := oneStep("true")
	work := task(p, "n1/work")
	work.Probe.Text = `echo "checked" >>"$PODIUM_HOME/tries"; (($(wc -l <"$PODIUM_HOME/tries") == 3)) || { echo "not three yet"; exit 1; }` + "\n"
	e, events := r.engine(t, p)
	up(t, e)
	var said []string
	for _, ev := range events.of("task-output") {
		said = append(said, ev.Text)
	}
	if len(said) != 1 || said[0] != "not yet: not three yet" {
		t.Errorf("the step's output is %q, want the check's reason once", said)
	}

	work.Probe.Text, work.Digest.Script = "echo never; exit 1\n", "other"
	work.Timeout = 4 * time.Second
	_, err := e.Up(context.Background(), UpOptions{})
	failure, ok := errors.AsType[*TaskError](err)
	if !ok || !strings.Contains(failure.Err.Error(), "check did") || len(failure.Last) == 0 || failure.Last[0] != "not yet: never" {
		t.Errorf("up gives %v, want a check that did not hold in time", err)
	}

	work.Probe.Text, work.Digest.Script = "echo broken; echo 'repair it so'; exit 78\n", "third"
	work.Timeout = time.Hour
	_, err = e.Up(context.Background(), UpOptions{})
	failure, ok = errors.AsType[*TaskError](err)
	if !ok || !strings.Contains(failure.Err.Error(), "the step's check never did") || !slices.Equal(failure.Last[max(0, len(failure.Last)-2):], []string{"broken", "repair it so"}) {
		t.Errorf("up gives %v with %q, want what a check says that never will hold", err, failure.Last)
	}
}

func TestRealNodeTimeoutEndsTheScript(t *testing.T) {
	r := newRealNode(t)
	p := oneStep(`echo $$ >"$PODIUM_HOME/pid"; sleep 1000`)
	task(p, "n1/work").Timeout = time.Second
	e, _ := r.engine(t, p)
	_, err := e.Up(context.Background(), UpOptions{})
	late, ok := errors.AsType[*TimeoutError](err)
	if !ok || late.After != time.Second || late.Probe {
		t.Errorf("up gives %v, want a *TimeoutError of the script", err)
	}
	r.gone(t)
}

func TestRealNodeCancelEndsTheScript(t *testing.T) {
	r := newRealNode(t)
	e, _ := r.engine(t, oneStep(`echo $$ >"$PODIUM_HOME/pid"; sleep 1000`))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		r.await(t, "pid")
		cancel()
	}()
	s, err := e.Up(ctx, UpOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("up gives %v, want context.Canceled", err)
	}
	if how := outcomes(s)["n1/work"]; how != Cancelled {
		t.Errorf("work is %s, want cancelled", how)
	}
	r.gone(t)
}

func TestRealNodeLostConnection(t *testing.T) {
	r := newRealNode(t)
	line := newLine(t, r.sshd.Endpoint("n1").Port)
	r.port = line.port()
	// The first try never ends by itself and ignores TERM. The second must find nothing of it.
	e, events := r.engine(t, oneStep(`
exec 7>"$PODIUM_HOME/alone"
flock -n 7 || exit 9
if [[ ! -f $PODIUM_HOME/pid ]]; then
  trap '' TERM
  echo $$ >"$PODIUM_HOME/pid"
  sleep 1000
fi`))
	go func() {
		r.await(t, "pid")
		line.cut()
	}()
	s := up(t, e)
	if got := s.Tasks[1]; got.Attempts != 2 {
		t.Errorf("work is %+v, want two tries", got)
	}
	if got := len(events.of("task-retrying")); got != 1 {
		t.Errorf("%d events of retrying, want 1", got)
	}
	r.gone(t)
}

func TestRealNodeSecondRunWaitsForTheFirst(t *testing.T) {
	r := newRealNode(t)
	p := oneStep(`
exec 7>"$PODIUM_HOME/alone"
flock -n 7 || exit 9
echo $$ >>"$PODIUM_HOME/pid"
sleep 0.7`)
	first, _ := r.engine(t, p)
	second, events := r.engine(t, p)
	done := make(chan error)
	go func() {
		_, err := first.Up(context.Background(), UpOptions{})
		done <- err
	}()
	r.await(t, "pid")
	up(t, second)
	if err := <-done; err != nil {
		t.Error(err)
	}
	said := events.of("task-output")
	if len(said) != 1 || said[0].Text != "waiting for an earlier run of work to end" {
		t.Errorf("the second run said %+v, want that it waits", said)
	}
}

func TestRealNodeProcessLeftBehind(t *testing.T) {
	r := newRealNode(t)
	e, _ := r.engine(t, oneStep(`echo begin; (sleep 300; echo late) & echo $! >"$PODIUM_HOME/pid"; echo end`))
	s := up(t, e) // it does not wait for the five minutes
	if log, _ := os.ReadFile(s.Tasks[1].Log); !strings.HasSuffix(string(log), "begin\nend\n") {
		t.Errorf("log is %q", log)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(r.read(t, "pid")))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("the process left behind does not live: %v", err)
	}
}

func TestRealNodeMuchOutput(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		lines        int
	}{
		{"many lines", `for ((i = 0; i < 20000; i++)); do echo "line $i of a megabyte of output ................"; done`, 20000},
		{"huge line", `head -c 3000000 /dev/zero | tr '\0' x; echo; echo after`, 2},
		{"no line end", `printf 'no line end'`, 1},
		{"binary", `head -c 100000 /dev/urandom | tr -d '\n\r'; echo; echo after`, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealNode(t)
			e, events := r.engine(t, oneStep(tt.script))
			s := up(t, e)
			if got := len(events.of("task-output")); got != tt.lines {
				t.Errorf("%d lines, want %d", got, tt.lines)
			}
			if log, err := os.ReadFile(s.Tasks[1].Log); err != nil || bytes.Count(log, []byte("\n")) != tt.lines+1 {
				t.Errorf("log has %d lines (%v), want %d and its head", bytes.Count(log, []byte("\n")), err, tt.lines)
			}
		})
	}
}

func TestRealNodeTemporaryFailure(t *testing.T) {
	r := newRealNode(t)
	e, _ := r.engine(t, oneStep(`echo x >>"$PODIUM_HOME/tries"; (($(wc -l <"$PODIUM_HOME/tries") == 3)) || exit 75`))
	if got := up(t, e).Tasks[1]; got.Outcome != Done || got.Attempts != 3 {
		t.Errorf("work is %+v, want done at the third try", got)
	}
}

func TestRealNodeChangedHostKeyIsFinal(t *testing.T) {
	r := newRealNode(t)
	e, _ := r.engine(t, oneStep("true"))
	up(t, e)
	r.sshd.Kill()
	r.sshd.SwapHostKey()
	r.sshd.Start()
	s, err := e.Up(context.Background(), UpOptions{})
	if !errors.Is(err, remote.ErrHostKey) {
		t.Errorf("up gives %v, want ErrHostKey", err)
	}
	if how := outcomes(s)["n1/work"]; how != Blocked {
		t.Errorf("work is %s, want blocked", how)
	}
}

func TestRealNodeStatus(t *testing.T) {
	r := newRealNode(t)
	p := oneStep("true")
	task(p, "n1/work").Services = []string{"podium-test-unit"}
	e, _ := r.engine(t, p)
	up(t, e)
	e.Plan = plan.Plan{}
	all, err := e.Status(context.Background())
	if err != nil || len(all) != 1 {
		t.Fatalf("status gives %+v, %v", all, err)
	}
	n := all[0]
	if n.Machine != machine.Running || !n.SSH || n.Done != 1 || n.Total != 1 || len(n.Services) != 1 {
		t.Errorf("status is %+v", n)
	}
	r.sshd.Kill()
	e.AskTimeout = 100 * time.Millisecond
	if all, err = e.Status(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := all[0]; n.SSH || n.SSHError == "" || n.Done != 1 {
		t.Errorf("status without sshd is %+v", n)
	}
}

// A step that is cut off after the lab was changed runs again when the lab is changed back: its files on the node are those
// of the change. Its facts stay.
func TestRealNodeStepCutOff(t *testing.T) {
	r := newRealNode(t)
	const script = `echo "$PODIUM_NODES" >"$PODIUM_HOME/nodes"; echo kept=yes >>"$PODIUM_FACTS"`
	p := oneStep(script)
	work := task(p, "n1/work")
	three := plan.Digest{Script: "s", Vars: "three", Files: "f"}
	work.Vars, work.Digest = map[string]string{"PODIUM_NODES": "w1 w2 w3"}, three
	e, _ := r.engine(t, p)
	up(t, e)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	work.Vars, work.Digest.Vars = map[string]string{"PODIUM_NODES": "w1 w2 w3 w4"}, "four"
	work.Script.Text = script + "\necho $$ >\"$PODIUM_HOME/pid\"; sleep 1000\n"
	go func() {
		r.await(t, "pid")
		cancel()
	}()
	if _, err := e.Up(ctx, UpOptions{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("up gives %v, want context.Canceled", err)
	}

	work.Vars, work.Digest, work.Script.Text = map[string]string{"PODIUM_NODES": "w1 w2 w3"}, three, script+"\n"
	s := up(t, e)
	wantRan(t, s, "n1/work")
	if got := s.Tasks[1].Reason; got != "was not finished" {
		t.Errorf("it ran because %q", got)
	}
	if got := s.Nodes[0].Facts["kept"]; got != "yes" {
		t.Errorf("the fact is %q", got)
	}
	env, err := os.ReadFile(filepath.Join(r.home, "scripts", "work.env"))
	if err != nil || strings.Contains(string(env), "w4") {
		t.Errorf("the node still goes by %s (%v)", env, err)
	}
	wantRan(t, up(t, e))
}

// After a restart the checks run by name, and the first that fails is named.
func TestRealNodeRecover(t *testing.T) {
	r := newRealNode(t)
	p := oneStep("true")
	task(p, "n1/work").Probe.Text = `[[ ! -f "$PODIUM_HOME/broken" ]] || { echo "w3 is NotReady"; echo "see there"; exit "$(cat "$PODIUM_HOME/broken")"; }` + "\n"
	e, _ := r.engine(t, p)
	up(t, e)
	if err := e.Dir.Update(func(s *state.State) error {
		m := s.Machines["n1"]
		m.Unchecked = true // as after a start that was cut off
		s.Machines["n1"] = m
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(r.home, "broken")
	if err := os.WriteFile(broken, []byte("78"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := e.Up(context.Background(), UpOptions{})
	check, ok := errors.AsType[*CheckError](err)
	if !ok || check.Step != "work" || check.Says != "w3 is NotReady" || !slices.Contains(check.Last, "see there") {
		t.Errorf("up gives %v, want the check of work", err)
	}
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	up(t, e)
}
