package plan

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"podium/provision/lab"
)

// reasons are what the engine could say of the small cluster: the control plane is done but for one step.
func reasons() map[TaskID]string {
	return map[TaskID]string{
		"cp/init": "script changed", "w1/boot": "missing", "w1/base": "missing", "w1/join": "missing", "w2/join": "never run", "cp/ready": "vars changed",
	}
}

func TestRenderWithReasons(t *testing.T) {
	p := build(t, cluster())
	golden(t, "reasons.txt", text(t, p.wide, reasons()))
	golden(t, "reasons.mmd", text(t, p.Mermaid, reasons()))
	for i := range p.Tasks {
		p.Tasks[i].Digest = Digest{}
	}
	golden(t, "reasons.json", text(t, p.json, reasons()))
}

func TestTextOfManyMachines(t *testing.T) {
	l := cluster()
	l.Nodes[1].Count = 12
	got := text(t, build(t, l).wide, nil)
	if want := "after boot, join on w1 w2 w3 and 9 more\n"; !strings.Contains(got, want) {
		t.Errorf("%q is not in\n%s", want, got)
	}
}

func TestJSONReason(t *testing.T) {
	p := build(t, cluster())
	var doc struct {
		Tasks []struct {
			ID     string
			Reason *string
			After  []string
		}
	}
	decode := func(reasons map[TaskID]string) {
		t.Helper()
		doc.Tasks = nil
		if err := json.Unmarshal([]byte(text(t, p.json, reasons)), &doc); err != nil {
			t.Fatal(err)
		}
		if len(doc.Tasks) != len(p.Tasks) {
			t.Fatalf("%d tasks of %d", len(doc.Tasks), len(p.Tasks))
		}
	}
	decode(nil)
	for _, task := range doc.Tasks {
		if task.Reason != nil || task.After == nil {
			t.Errorf("without reasons: %+v", task)
		}
	}
	decode(map[TaskID]string{"cp/base": "missing"})
	for _, task := range doc.Tasks {
		if task.Reason == nil || (*task.Reason == "missing") != (task.ID == "cp/base") {
			t.Errorf("with reasons: %+v", task)
		}
	}
}

// TestMermaidQuotes looks whether a text can leave its label.
func TestMermaidQuotes(t *testing.T) {
	for in, want := range map[string]string{
		"plain":               `"plain"`,
		`a"]; end`:            `"a#quot;]; end"`,
		"#quot; <b> & `x`\ny": `"#35;quot; #lt;b#gt; #amp; #96;x#96; y"`,
	} {
		if got := label(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

// json writes the plan as podium plan -o json does.
func (p Plan) json(w io.Writer, reasons map[TaskID]string) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(p.Document(reasons))
}

// failing is a pipe whose reader is gone.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestRenderToABrokenPipe(t *testing.T) {
	p := build(t, cluster())
	for name, render := range map[string]func(io.Writer, map[TaskID]string) error{"text": p.wide, "mermaid": p.Mermaid} {
		if err := render(failing{io.ErrClosedPipe}, nil); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTextOfNothing(t *testing.T) {
	got := text(t, Plan{Lab: lab.Lab{Name: "none", Provider: "sim"}}.wide, nil)
	if got != "none: 0 machines on sim, 0 steps\n" {
		t.Errorf("got %q", got)
	}
}

// On a narrow terminal every line fits, and says which step and why it would run.
func TestTextFitsTheTerminal(t *testing.T) {
	p := load(t, filepath.Join("..", "..", "labs", "k8s-basic"))
	why := map[TaskID]string{"w1/kubeadm-join": "variables changed"}
	for _, width := range []int{60, 80, 100} {
		for _, reasons := range []map[TaskID]string{nil, why} {
			var b strings.Builder
			if err := p.Text(&b, reasons, width); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				if line = strings.TrimRight(line, "\n"); len(line) > width && !strings.HasPrefix(line, "k8s-basic: ") {
					t.Errorf("%d columns of %d: %q", len(line), width, line)
				}
			}
			if reasons != nil && !strings.Contains(b.String(), "(variables changed)") {
				t.Errorf("width %d: no reason", width)
			}
		}
	}
}

func TestApplyingLeavesOutUpgrades(t *testing.T) {
	p := load(t, filepath.Join("..", "..", "labs", "k8s-basic"))
	checkPlan(t, p.Applying(nil))
	shown := text(t, p.Applying(nil).wide, nil)
	if strings.Contains(shown, "kube-upgrade") || !strings.Contains(shown, "30 steps") {
		t.Error(shown)
	}
	ahead := text(t, p.Applying(map[TaskID]string{"cp/kube-upgrade": "1.35.1 installed"}).wide, nil)
	if !strings.Contains(ahead, "  kube-upgrade ") || strings.Contains(ahead, "kube-upgrade-worker") {
		t.Error(ahead)
	}
}
