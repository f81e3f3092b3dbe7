package check

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// ask runs a bundle by the bash of this computer, as a node would.
func ask(t *testing.T, questions []Question, env map[string]string) map[int]Facts {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("needs bash and coreutils of Linux")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "env", "-i", "PATH="+os.Getenv("PATH"), "LC_ALL=C", bash, "--noprofile", "--norc", "-s")
	c.Stdin = strings.NewReader(Bundle(questions, env))
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return Answers(out, len(questions))
}

func TestBundle(t *testing.T) {
	questions := []Question{
		{"echo \"it's $COLOR\"; echo bad >&2; exit 3", time.Second},
		{"sleep 30", time.Second},
		{"cat; echo 'end of input'", time.Second},                   // nothing to read
		{"sleep 30 & sleep 30 & echo left two behind", time.Second}, // they end with the probe
		{"head -c 3000000 /dev/zero", 5 * time.Second},              // cut
		{"if then", time.Second},                                    // not bash
		{"echo '7:bm8=:0:'", time.Second},                           // an answer that pretends to be another's
		{"kill -9 $$", time.Second},                                 // ends itself
		{"ps -ewwo args= | grep -c 'unlikely[-]word'", time.Second}, // no list of processes shows a probe
	}
	start := time.Now()
	answers := ask(t, questions, map[string]string{"COLOR": "red; exit 1 'x'"})
	if len(answers) != len(questions) {
		t.Fatalf("%d answers: %v", len(answers), answers)
	}
	if f := answers[0]; f.Code != 3 || string(f.Out) != "it's red; exit 1 'x'\n" || f.Err != "bad\n" {
		t.Errorf("%+v", f)
	}
	if answers[1].Code != codeTimeout {
		t.Errorf("%+v", answers[1])
	}
	if f := answers[2]; string(f.Out) != "end of input\n" {
		t.Errorf("%+v", f)
	}
	if f := answers[3]; f.Code != 0 || string(f.Out) != "left two behind\n" {
		t.Errorf("%+v", f)
	}
	if n := len(answers[4].Out); n != MaxOut {
		t.Errorf("%d bytes", n)
	}
	if f := answers[5]; f.Code != 2 || !strings.Contains(f.Err, "syntax error") {
		t.Errorf("%+v", f)
	}
	if f := answers[6]; string(f.Out) != "7:bm8=:0:\n" {
		t.Errorf("%+v", f)
	}
	if answers[7].Code != codeKilled {
		t.Errorf("%+v", answers[7])
	}
	if got := string(bytes.TrimSpace(answers[8].Out)); got != "0" {
		t.Errorf("%s processes show the probe", got)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %s: a process that a probe left behind was waited for", took)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("0:aGk=:0:\n1::124:YmFk\n"))
	f.Fuzz(func(t *testing.T, out []byte) {
		for i, facts := range Answers(out, 3) {
			if i < 0 || i > 2 || facts.Code < 0 || len(facts.Out) > MaxOut {
				t.Errorf("%d: %+v", i, facts)
			}
			for _, k := range everyKind() {
				c := Check{Name: "x"}
				k.set(&c)
				if v := c.Decide(facts); v.Result == "" {
					t.Errorf("%T: no result for %+v", k.kind, facts)
				}
			}
		}
	})
}
