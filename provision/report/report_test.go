package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"podium/provision/engine"
	"podium/provision/event"
	"podium/provision/plan"
	"podium/provision/remote"
)

// golden compares got with testdata/name, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); go test -update rewrites it:\n%s", path, diff)
	}
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write golden files")
	flag.Parse()
	os.Exit(m.Run())
}

func at(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func result(node, step string, outcome engine.Outcome, start, took float64) engine.TaskResult {
	return engine.TaskResult{
		ID: plan.TaskID(node + "/" + step), Node: node, Step: step, Outcome: outcome, Attempts: 1,
		Start: at(start), Duration: at(took), Log: ".podium/logs/" + node + "/" + step + ".log",
	}
}

func node(name, role, address string, port int) engine.NodeResult {
	return engine.NodeResult{
		Name: name, Roles: []string{role}, Address: address,
		Endpoint: &remote.Endpoint{Node: name, Host: "127.0.0.1", Port: port, User: "vagrant"},
	}
}

// ready is a run that made a lab.
func ready() engine.Summary {
	ops := node("ops", "monitoring", "192.168.56.11", 22)
	ops.Facts = map[string]string{"grafana_url": "http://192.168.56.11:3000", "grafana_user": "admin", "prometheus_url": "http://192.168.56.11:9090"}
	ops.Secrets = []string{"secret_grafana_password"}
	return engine.Summary{
		Lab: "monitoring", Provider: "sim", Started: time.Date(2026, 10, 1, 9, 12, 3, 0, time.UTC),
		Duration: at(72.4), Critical: at(70),
		Tasks: []engine.TaskResult{
			result("cp", "boot", engine.Done, 0, 20), result("ops", "boot", engine.Done, 0, 25.5),
			result("cp", "base", engine.Done, 20, 10), result("ops", "base", engine.Skipped, 0, 0),
			result("cp", "containerd", engine.Done, 25, 47.4),
		},
		Nodes:    []engine.NodeResult{node("cp", "control-plane", "192.168.56.10", 2222), ops},
		Removed:  []string{"w9"},
		Left:     []plan.TaskID{"cp/addon-metallb"},
		Baseline: "ready",
	}
}

// broken is a run in which a step failed.
func broken() engine.Summary {
	s := ready()
	s.Baseline, s.Removed, s.Left = "", nil, nil
	s.Tasks[2].Outcome = engine.Failed
	s.Tasks[4] = engine.TaskResult{ID: "cp/containerd", Node: "cp", Step: "containerd", Outcome: engine.Blocked, Reason: "cp/base"}
	s.Tasks = append(s.Tasks, engine.TaskResult{ID: "ops/grafana", Node: "ops", Step: "grafana", Outcome: engine.Cancelled})
	s.Failures = []*engine.TaskError{{
		ID: "cp/base", Node: "cp", Step: "base", Hint: "look at /var/log/apt/term.log on cp", Log: ".podium/logs/cp/base.log",
		Last: []string{"Reading package lists...", "\x1b[31mE: Unable to fetch <some> archives\x1b[0m"}, Err: errors.New("exit code 100\nmore"),
	}}
	return s
}

func TestText(t *testing.T) {
	many := broken()
	for _, name := range []string{"w1", "w2"} {
		failure := *many.Failures[0]
		failure.ID, failure.Node = plan.TaskID(name+"/base"), name
		many.Failures = append(many.Failures, &failure)
		many.Nodes = append(many.Nodes, node(name, "worker", "192.168.56.20", 22))
		many.Tasks = append(many.Tasks, result(name, "base", engine.Failed, 1, 2), result(name, "containerd", engine.Blocked, 0, 0))
	}
	again := ready()
	for i := range again.Tasks {
		again.Tasks[i].Outcome, again.Tasks[i].Duration = engine.Skipped, 0
	}
	again.Baseline, again.Removed, again.Left, again.Critical, again.Duration = "", nil, nil, 0, at(0.31)
	for name, s := range map[string]engine.Summary{"ready": ready(), "broken": broken(), "again": again, "many": many} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			Text(&b, s, Options{LabArg: " labs/monitoring"})
			golden(t, name+".txt", b.Bytes())
		})
	}
}

func TestJSON(t *testing.T) {
	for name, s := range map[string]engine.Summary{"ready": ready(), "broken": broken()} {
		t.Run(name, func(t *testing.T) {
			var b, indented bytes.Buffer
			if err := JSON(&b, s); err != nil {
				t.Fatal(err)
			}
			if strings.Count(b.String(), "\n") != 1 {
				t.Errorf("not one line: %q", b.String())
			}
			if err := json.Indent(&indented, b.Bytes(), "", "  "); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", indented.Bytes())
		})
	}
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := JUnit(&b, broken()); err != nil {
		t.Fatal(err)
	}
	golden(t, "broken.xml", b.Bytes())
	var suites junitSuites
	if err := xml.Unmarshal(b.Bytes(), &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Tests != 6 || suites.Failures != 1 || suites.Skipped != 2 {
		t.Errorf("tests %d, failures %d, skipped %d; want 6, 1, 2", suites.Tests, suites.Failures, suites.Skipped)
	}
}

func TestLines(t *testing.T) {
	start := time.Date(2026, 10, 1, 9, 12, 3, 0, time.Local)
	events := []event.Event{
		{Kind: event.RunStarted, Tasks: 30},
		{Kind: event.Note, Text: "downloading the box: 12%"},
		{Kind: event.TaskSkipped, Node: "cp", Step: "boot"},
		{Kind: event.TaskStarted, Node: "cp", Step: "base", Attempt: 1, Text: "missing"},
		{Kind: event.TaskOutput, Node: "cp", Step: "base", Text: "10%\r50%\r\x1b[1mdone\x1b[0m\x07"},
		{Kind: event.TaskRetrying, Node: "cp", Step: "base", Attempt: 1, Tries: 6, Error: "SSH connection lost", Duration: at(1.5)},
		{Kind: event.TaskStarted, Node: "cp", Step: "base", Attempt: 2, Text: "missing"},
		{Kind: event.TaskDone, Node: "cp", Step: "base", Duration: at(7.2)},
		{Kind: event.Waiting, Node: "cp", Text: "halt"},
		{Kind: event.Waiting, Node: "cp", Text: "halt", Duration: at(10.003)},
		{Kind: event.WaitOver, Node: "cp", Text: "halt"},
		{Kind: event.Waiting, Node: "cp", Step: "kube-ready", Text: "w3 is \x1b[1mNotReady", Duration: at(60.2), Tasks: 4},
		{Kind: event.Waiting, Text: "prepare the machines", Duration: at(20)},
		{Kind: event.TaskFailed, Node: "ops", Step: "grafana", Duration: at(61), Error: "exit code 1\nlong story"},
		{Kind: event.TaskBlocked, Node: "ops", Step: "dashboards", Text: "waits for ops/grafana"},
		{Kind: event.Note, Node: "w9", Text: "is no longer in lab.yaml"},
		{Kind: event.RunFinished, Error: "1 task failed", Duration: at(70)},
	}
	for name, verbose := range map[string]bool{"lines.txt": false, "lines-verbose.txt": true} {
		var b bytes.Buffer
		sink := Lines(&b, verbose)
		for i, e := range events {
			e.Time = start.Add(time.Duration(i) * time.Second)
			sink.Emit(e)
		}
		golden(t, name, b.Bytes())
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1: "0ms", 0: "0ms", at(0.0004): "0ms", at(0.44): "440ms", at(0.9996): "1.0s", at(1.44): "1.4s", at(9.94): "9.9s", at(9.96): "10s", at(59.4): "59s", at(59.6): "1m00s", at(61.4): "1m01s",
		at(3599): "59m59s", at(3599.7): "1h00m", at(3720): "1h02m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestTableCountsColumns(t *testing.T) {
	var b bytes.Buffer
	table := Table{Head: []string{"이름", "N"}}
	table.Row("서울-1", "1")
	table.Row("busan", "22")
	table.Write(&b)
	want := "이름    N\n서울-1  1\nbusan   22\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestTableFitsTheTerminal(t *testing.T) {
	for width, want := range map[int]string{
		0:  "NODE  ROLES          ADDRESS\nw1    control-plane  192.168.56.11\n",
		34: "NODE  ROLES          ADDRESS\nw1    control-plane  192.168.56.11\n",
		33: "NODE  ADDRESS\nw1    192.168.56.11\n",
		12: "NODE  ADDR..\nw1    192...\n",
	} {
		var b bytes.Buffer
		table := Table{Head: []string{"NODE", "ROLES", "ADDRESS"}, Width: width, Spare: []string{"ROLES", "NOSUCH"}}
		table.Row("w1", "control-plane", "192.168.56.11")
		if table.Write(&b); b.String() != want {
			t.Errorf("%d columns:\n%swant\n%s", width, b.String(), want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                      "plain",
		"\x1b]0;title\x07text\x1b[K": "text",
		"10%\r100%\r\n":              "100%",
		"a\tb\x00\x08c":              "a bc",
		"한국어":                        "한국어",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}
