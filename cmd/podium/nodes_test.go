package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"podium/provision/remote"
	"podium/provision/remote/remotetest"
	"podium/provision/state"
)

// testNodes makes a lab whose nodes are servers of remotetest, and goes into its folder.
func testNodes(t *testing.T, handlers map[string]remotetest.Handler) map[string]*remotetest.Server {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	servers := map[string]*remotetest.Server{}
	known := state.State{Lab: "test", Provider: "sim", Machines: map[string]state.Machine{}}
	for i, name := range slices.Sorted(maps.Keys(handlers)) {
		handler := handlers[name]
		s := remotetest.New(t, remotetest.Options{Handler: handler})
		servers[name] = s
		e := s.Endpoint(name)
		role := "worker"
		if name == "cp" {
			role = "control-plane"
		}
		known.Machines[name] = state.Machine{Roles: []string{role}, Made: true, Place: i, Endpoint: &remote.Endpoint{
			Node: e.Node, Host: e.Host, Port: e.Port, User: e.User, KeyFile: e.KeyFile, HostKeys: e.HostKeys,
		}}
	}
	d, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := d.Lock(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Save(known), unlock()); err != nil {
		t.Fatal(err)
	}
	lab := "name: test\nprovider: sim\nnodes: [{name: cp, roles: [docker]}]\n"
	if err := os.WriteFile("lab.yaml", []byte(lab), 0o644); err != nil {
		t.Fatal(err)
	}
	return servers
}

// says answers every command with a text and an exit code.
func says(out, errs string, code int) remotetest.Handler {
	return func(_ context.Context, e *remotetest.Exec) int {
		fmt.Fprint(e.Stdout, out)
		fmt.Fprint(e.Stderr, errs)
		return code
	}
}

// sortLines puts the lines of nodes that answer side by side into an order.
func sortLines(s string) string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestExecPrefixesLines(t *testing.T) {
	servers := testNodes(t, map[string]remotetest.Handler{
		"cp": says("one\ntwo", "", 0), "w10": says("", "warning\n", 0),
	})
	code, out, errs := inProcess(t, "exec", "--", "cat", "my file")
	if code != 0 || sortLines(out) != "cp  | one\ncp  | two" || errs != "w10 | warning\n" {
		t.Errorf("exit code %d\n%s\n%s", code, out, errs)
	}
	if got := servers["cp"].Commands(); len(got) != 1 || got[0] != "cat 'my file'" {
		t.Errorf("commands %q", got)
	}
}

func TestExecOneWordIsForTheShell(t *testing.T) {
	servers := testNodes(t, map[string]remotetest.Handler{"cp": nil})
	for words, want := range map[string]string{"ls | wc -l": "ls | wc -l", "--sudo": "sudo -n"} {
		given := []string{"exec", "--", words}
		if words == "--sudo" {
			given = []string{"exec", "--sudo", "--", "id"}
		}
		if code, _, errs := inProcess(t, given...); code != 0 {
			t.Errorf("%v: exit code %d, %s", given, code, errs)
		}
		commands := servers["cp"].Commands()
		if got := commands[len(commands)-1]; !strings.HasPrefix(got, want) {
			t.Errorf("%v ran %q", given, got)
		}
	}
}

func TestExecSaysWhereItFailed(t *testing.T) {
	servers := testNodes(t, map[string]remotetest.Handler{
		"cp": says("", "", 0), "w1": says("", "", 3), "w2": says("", "", 3), "w3": says("", "", 0), "w4": says("", "", 0),
	})
	servers["w3"].Deny(true)
	servers["w4"].DropCommands(1)
	code, _, errs := inProcess(t, "exec", "--", "true")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"podium: failed on 4 of 5 nodes\n", "\n  w1,w2: exit code 3\n", "\n  w3: ", "\n  w4: ", "login refused", "connection lost"} {
		if !strings.Contains(errs, want) {
			t.Errorf("no %q in\n%s", want, errs)
		}
	}
}

func TestExecGroups(t *testing.T) {
	testNodes(t, map[string]remotetest.Handler{
		"cp": says("same\n", "", 0), "w1": says("other\n", "odd\n", 2), "w2": says("same\n", "", 0),
	})
	code, out, _ := inProcess(t, "exec", "--group", "--", "x")
	if want := "cp,w2 (2 nodes):\n  same\n\nw1 exit code 2:\n  other\n  odd\n"; code != 1 || out != want {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

func TestExecJSON(t *testing.T) {
	servers := testNodes(t, map[string]remotetest.Handler{"cp": says("a\n", "b\n", 4), "w1": nil})
	servers["w1"].Deny(true)
	code, out, errs := inProcess(t, "exec", "-o", "json", "--", "x")
	var got []execJSON
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	byNode := map[string]execJSON{got[0].Node: got[0], got[1].Node: got[1]}
	if cp := byNode["cp"]; cp.Code != 4 || cp.Stdout != "a\n" || cp.Stderr != "b\n" || cp.Error != "" || cp.Duration <= 0 {
		t.Errorf("cp: %+v", cp)
	}
	if w1 := byNode["w1"]; w1.Code != -1 || !strings.Contains(w1.Error, "login refused") {
		t.Errorf("w1: %+v", w1)
	}
	var problem struct {
		Error, Hint string
		Code        int
	}
	if err := json.Unmarshal([]byte(errs), &problem); err != nil || problem.Code != 1 || code != 1 || !strings.Contains(problem.Hint, "exit code 4") {
		t.Errorf("exit code %d, stderr %q (%v)", code, errs, err)
	}
}

func TestExecTimeout(t *testing.T) {
	testNodes(t, map[string]remotetest.Handler{"cp": func(ctx context.Context, _ *remotetest.Exec) int {
		<-ctx.Done()
		return 1
	}})
	code, _, errs := inProcess(t, "exec", "--timeout", "50ms", "--", "sleep", "1000")
	if code != 1 || !strings.Contains(errs, "no end within 50ms") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

func TestExecWithoutADescription(t *testing.T) {
	testNodes(t, map[string]remotetest.Handler{"cp": says("alive\n", "", 0)})
	if err := os.WriteFile("lab.yaml", []byte("nodes: {"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs := inProcess(t, "exec", "--", "x")
	if code != 0 || out != "cp | alive\n" || !strings.Contains(errs, "podium: warning: lab.yaml has ") {
		t.Errorf("broken: exit code %d, %q, %q", code, out, errs)
	}
	if err := os.Remove("lab.yaml"); err != nil {
		t.Fatal(err)
	}
	code, out, errs = inProcess(t, "exec", "--", "x")
	if code != 0 || out != "cp | alive\n" || errs != "podium: warning: lab.yaml is gone; going by what the last up knew\n" {
		t.Errorf("gone: exit code %d, %q, %q", code, out, errs)
	}
}

func TestSSHHandsTheExitCodeOn(t *testing.T) {
	testNodes(t, map[string]remotetest.Handler{"cp": func(_ context.Context, e *remotetest.Exec) int {
		_, _ = io.Copy(e.Stdout, e.Stdin)
		fmt.Fprintf(e.Stderr, "ran %s", e.Command)
		return 42
	}, "w1": nil})
	var out, errs bytes.Buffer
	code := run(environment{
		Args: []string{"ssh", "cp", "--", "cat"}, Stdin: strings.NewReader("through"), Stdout: &out, Stderr: &errs, Now: time.Now,
	})
	if code != 42 || out.String() != "through" || errs.String() != "ran cat" {
		t.Errorf("exit code %d, %q, %q", code, out.String(), errs.String())
	}
	code, _, text := inProcess(t, "ssh")
	if code != 2 || !strings.Contains(text, "which node? There are ") {
		t.Errorf("exit code %d, %s", code, text)
	}
	code, _, text = inProcess(t, "ssh", "w7")
	if code != 2 || !strings.Contains(text, `no node "w7"`) {
		t.Errorf("exit code %d, %s", code, text)
	}
}

func TestSSHToTheOnlyNode(t *testing.T) {
	testNodes(t, map[string]remotetest.Handler{"box": says("hello\n", "", 0)})
	if code, out, errs := inProcess(t, "ssh", "--", "greet"); code != 0 || out != "hello\n" {
		t.Errorf("exit code %d, %q, %q", code, out, errs)
	}
}

// write makes a file with its folders.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCopyToNodes(t *testing.T) {
	servers := testNodes(t, map[string]remotetest.Handler{"cp": nil, "w1": nil})
	write(t, "app/site/index.html", "page")
	write(t, "app/run.sh", "#!/bin/sh\n")
	write(t, "key-w1", "secret")
	write(t, "app/.podium/id_ed25519", "secret")
	for _, s := range servers {
		write(t, filepath.Join(s.Root(), "srv", "there"), "")
	}
	for _, words := range [][]string{
		{"app", ":/srv/"}, {"app", ":/srv/www"}, {"app", ":/srv/www"}, {"app/", "cp:/srv/content/"}, {"app/run.sh", "w1:/srv/start"}, {"key-{node}", "w1:/srv/key"}, {"app/run.sh", "key-w1", "cp:/srv/"},
	} {
		if code, _, errs := inProcess(t, append([]string{"copy"}, words...)...); code != 0 {
			t.Errorf("copy %v: exit code %d, %s", words, code, errs)
		}
	}
	for node, names := range map[string][]string{
		"cp": {"srv/app/site/index.html", "srv/app/run.sh", "srv/run.sh", "srv/key-w1", "srv/www/run.sh", "srv/content/run.sh"},
		"w1": {"srv/app/site/index.html", "srv/app/run.sh", "srv/start", "srv/key"},
	} {
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(servers[node].Root(), name)); err != nil {
				t.Errorf("%s: %v", node, err)
			}
		}
	}
	for _, name := range []string{"srv/www/app", "srv/app/.podium"} {
		if _, err := os.Stat(filepath.Join(servers["cp"].Root(), name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
	_, missing := os.Stat("nothing")
	for want, words := range map[string][]string{
		"nothing: " + errors.Unwrap(missing).Error():    {"nothing", ":/srv"},
		"copy takes the lab by --lab: podium --lab":     {".", "key-w1", ":/srv/key"},
		"several sources need a folder to go into, and": {"key-w1", "app", ":/srv/none"},
		"both on this computer":                         {".", "cp:/srv/key", "x"},
	} {
		if code, _, errs := inProcess(t, append([]string{"copy"}, words...)...); code == 0 || !strings.Contains(errs, want) {
			t.Errorf("copy %v: exit code %d, %s, want %q", words, code, errs, want)
		}
	}
}

func TestCopyFromNodes(t *testing.T) {
	servers := testNodes(t, map[string]remotetest.Handler{"cp": nil, "w1": nil})
	for name, s := range servers {
		write(t, filepath.Join(s.Root(), "etc", "motd"), "I am "+name)
		write(t, filepath.Join(s.Root(), "etc", "deep", "er"), name)
	}
	if code, out, errs := inProcess(t, "copy", ":/etc/motd", "out/{node}.txt"); code != 0 || !strings.Contains(out, "from w1") {
		t.Fatalf("exit code %d, %s%s", code, out, errs)
	}
	if got := read(t, filepath.Join("out", "w1.txt")); got != "I am w1" {
		t.Errorf("w1.txt holds %q", got)
	}
	if code, _, errs := inProcess(t, "copy", "cp:/etc", "tree"); code != 0 {
		t.Fatalf("exit code %d, %s", code, errs)
	}
	if got := read(t, filepath.Join("tree", "deep", "er")); got != "cp" {
		t.Errorf("tree/deep/er holds %q", got)
	}
	code, _, errs := inProcess(t, "copy", ":/etc/motd", "motd")
	if code != 2 || !strings.Contains(errs, "put {node} into the name, such as motd-{node}") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	code, _, errs = inProcess(t, "copy", "cp:/etc/none", ".")
	if code != 1 || !strings.Contains(errs, "/etc/none") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

func TestCopyToAFullDisk(t *testing.T) {
	servers := testNodes(t, map[string]remotetest.Handler{"cp": nil})
	servers["cp"].Space(100)
	write(t, "big", strings.Repeat("x", 200<<10))
	code, _, errs := inProcess(t, "copy", "big", "cp:/big")
	if code != 1 || !strings.Contains(errs, "no space left") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	if _, err := os.Stat(filepath.Join(servers["cp"].Root(), "big")); err == nil {
		t.Error("a part of the file stays")
	}
}

// The state file is what these verbs live on: broken, it is named, and nothing is touched.
func TestBrokenState(t *testing.T) {
	testNodes(t, map[string]remotetest.Handler{"cp": nil})
	path := filepath.Join(".podium", "state.json")
	whole := read(t, path)
	for name, text := range map[string]string{"truncated": whole[:len(whole)/2], "garbage": "\x00\x01", "empty": ""} {
		write(t, path, text)
		for _, verb := range []string{"status", "destroy", "halt", "exec", "up", "plan"} {
			words := []string{verb}
			switch verb {
			case "exec":
				words = append(words, "--", "true")
			case "destroy":
				words = append(words, "--yes")
			}
			code, _, errs := inProcess(t, words...)
			if code != 1 || !strings.Contains(errs, "state.json is broken") {
				t.Errorf("%s, %s: exit code %d, %s", name, verb, code, errs)
			}
			if got := read(t, path); got != text {
				t.Errorf("%s, %s: the file was touched", name, verb)
			}
		}
	}
}
