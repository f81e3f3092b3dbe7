package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"podium/provision/lab"
	"podium/provision/step"
)

// small is a catalogue with one of each kind of row.
func small() []step.Step {
	role := func(role string) func(step.Context, lab.Machine) bool {
		return func(_ step.Context, m lab.Machine) bool { return m.HasRole(role) }
	}
	return []step.Step{
		{Name: "base", About: "packages", Script: "base.sh", Timeout: time.Minute},
		{
			Name: "init", About: "the cluster", On: role(lab.RoleControlPlane), After: []step.After{{Step: "base"}}, Script: "init.sh",
			Probe: "probe.sh", Hint: "look at the log", Services: []string{"kubelet"}, Timeout: time.Hour,
			Vars: func(step.Context, lab.Machine) step.Vars { return step.Vars{"PODIUM_VERSION": "1"} },
			Files: func(step.Context, lab.Machine) []step.File {
				return []step.File{{Path: "/f", Mode: 0o600, Text: "text"}}
			},
		},
		{
			Name: "join", About: "a worker", On: role(lab.RoleWorker), After: []step.After{{Step: "base"}, {Step: "init", Everywhere: true}},
			Script: "join.sh", Timeout: time.Minute,
			Inputs: func(c step.Context, m lab.Machine) []step.Input {
				return []step.Input{{Node: c.Machines[0].Name, Script: "token.sh", Vars: step.Vars{"PODIUM_JOINING": m.Name}}}
			},
		},
		{
			Name: "ready", About: "all there", On: role(lab.RoleControlPlane), After: []step.After{{Step: "join", Everywhere: true}, {Step: "elsewhere"}},
			Script: "ready.sh", Timeout: time.Minute,
		},
	}
}

func guest() fstest.MapFS {
	return fstest.MapFS{
		"base.sh":    {Data: []byte("echo $PODIUM_NODE\r\n")},
		"init.sh":    {Data: []byte("echo $PODIUM_VERSION $PODIUM_HOSTS\n")},
		"probe.sh":   {Data: []byte("echo $PODIUM_ADDRESS\n")},
		"join.sh":    {Data: []byte(". \"$(dirname \"$0\")/lib/net.sh\"\njoin\n")},
		"token.sh":   {Data: []byte("echo $PODIUM_LAB\n")},
		"ready.sh":   {Data: []byte("true\n")},
		"lib/net.sh": {Data: []byte("join() { :; }\n")},
	}
}

func own() fstest.MapFS {
	return fstest.MapFS{
		"seed.sh":        {Data: []byte("echo seed on $PODIUM_NODE\n")},
		"sub/hosts.sh":   {Data: []byte("echo $PODIUM_HOSTS\n")},
		"borrowed.sh":    {Data: []byte(". \"$(dirname \"$0\")/lib/net.sh\"\njoin\n")},
		"half-borrow.sh": {Data: []byte(". \"$(dirname \"$0\")/lib/none.sh\"\n")},
		"shop/web.yaml":  {Data: []byte("kind: Service\r\n")},
		"shop/db/db.sql": {Data: []byte("create table t;\n")},
		"shop/.git/HEAD": {Data: []byte("ref\n")},
		"shop/.hidden":   {Data: []byte("x\n")},
		"picture.png":    {Data: []byte("\x89PNG\x00")},
		"shop/run.sh":    {Data: []byte("echo run\n"), Mode: 0o755},
		"shop/app":       {Data: []byte("\xef\xbb\xbf#!/bin/bash\r\n")},
		"shop/.DS_Store": {Data: []byte("\x00")},
		".env":           {Data: []byte("A=1\n")},
		"bom.sh":         {Data: []byte("\xef\xbb\xbfset -e\r\ntrue\r\n")},
		"utf16.sh":       {Data: []byte("\xff\xfee\x00")},
		"cp949.sh":       {Data: []byte("true\n# \xc7\xd1\xb1\xdb\n")},
		"broken.sh":      {Data: []byte("if true; then\n  echo x\n")},
	}
}

// cluster is a lab with cp, w1, w2 and a plain machine, with steps of its own.
func cluster(steps ...lab.Step) lab.Lab {
	l := lab.Lab{
		Name: "lab", Provider: lab.ProviderSim, Kubernetes: &lab.Kubernetes{}, Steps: steps,
		Nodes: []lab.Node{
			{Name: "cp", Roles: []string{lab.RoleControlPlane}},
			{Name: "w", Count: 2, Roles: []string{lab.RoleWorker}},
			{Name: "plain"},
		},
	}
	lab.Default(&l)
	return l
}

func build(t *testing.T, l lab.Lab) Plan {
	t.Helper()
	p, err := BuildFrom(small(), l, guest(), own())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func task(t *testing.T, p Plan, id TaskID) Task {
	t.Helper()
	i := slices.IndexFunc(p.Tasks, func(t Task) bool { return t.ID == id })
	if i < 0 {
		t.Fatalf("no task %s", id)
	}
	return p.Tasks[i]
}

// edges shows a plan as "task: what it waits for", in the plan's order.
func edges(p Plan) string {
	var lines []string
	for _, t := range p.Tasks {
		var after []string
		for _, id := range t.After {
			after = append(after, string(id))
		}
		lines = append(lines, strings.TrimSpace(string(t.ID)+": "+strings.Join(after, " ")))
	}
	return strings.Join(lines, "\n")
}

func TestBuildEdges(t *testing.T) {
	want := `cp/boot:
w1/boot:
w2/boot:
plain/boot:
cp/base: cp/boot
w1/base: w1/boot
w2/base: w2/boot
plain/base: plain/boot
cp/init: cp/base
w1/join: cp/init w1/base
w2/join: cp/init w2/base
cp/ready: cp/boot w1/join w2/join`
	if diff := cmp.Diff(want, edges(build(t, cluster()))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBuildSerial(t *testing.T) {
	rows := small()
	rows[2].Serial = true
	l := cluster()
	l.Nodes[1].Count = 3
	p, err := BuildFrom(rows, l, guest(), own())
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[TaskID][]TaskID{
		"w1/join": {"cp/init", "w1/base"}, "w2/join": {"cp/init", "w1/join", "w2/base"}, "w3/join": {"cp/init", "w2/join", "w3/base"},
	} {
		if diff := cmp.Diff(want, task(t, p, id).After); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

func TestBuildTasks(t *testing.T) {
	p := build(t, cluster())
	initTask := task(t, p, "cp/init")
	want := Task{
		ID: "cp/init", Node: "cp", Step: "init", About: "the cluster", After: []TaskID{"cp/base"},
		Script: Script{"init.sh", "echo $PODIUM_VERSION $PODIUM_HOSTS\n"}, Probe: Script{"probe.sh", "echo $PODIUM_ADDRESS\n"},
		Vars:  map[string]string{"PODIUM_VERSION": "1", "PODIUM_HOSTS": initTask.Vars["PODIUM_HOSTS"], "PODIUM_ADDRESS": "192.168.56.10"},
		Files: []step.File{{Path: "/f", Mode: 0o600, Text: "text"}}, Hint: "look at the log", Services: []string{"kubelet"}, Timeout: time.Hour, Digest: initTask.Digest,
	}
	if diff := cmp.Diff(want, initTask); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(initTask.Vars["PODIUM_HOSTS"], "192.168.56.11 w1\n") {
		t.Errorf("hosts: %q", initTask.Vars["PODIUM_HOSTS"])
	}
	if got := task(t, p, "w1/base"); got.Script.Text != "echo $PODIUM_NODE\n" || len(got.Vars) != 1 || got.Vars["PODIUM_NODE"] != "w1" {
		t.Errorf("base: %+v", got)
	}
	wantInputs := []Input{{Node: "cp", Script: Script{"token.sh", "echo $PODIUM_LAB\n"}, Vars: map[string]string{"PODIUM_LAB": "lab", "PODIUM_JOINING": "w2"}}}
	join := task(t, p, "w2/join")
	if diff := cmp.Diff(wantInputs, join.Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	if !strings.Contains(join.Script.Text, "join() { :; }") {
		t.Errorf("the library is not in %q", join.Script.Text)
	}
	if boot := task(t, p, "plain/boot"); boot.Digest != (Digest{}) || boot.Script != (Script{}) || boot.Timeout == 0 {
		t.Errorf("boot: %+v", boot)
	}
}

// TestBuildAccount looks who a script thinks it works for, where a machine has an account of its own.
func TestBuildAccount(t *testing.T) {
	l := lab.Lab{Name: "room", Provider: lab.ProviderStatic, User: "teacher", Nodes: []lab.Node{
		{Name: "a", Address: "192.168.56.31"}, {Name: "b", Address: "192.168.56.32", SSH: &lab.SSH{User: "root"}},
	}}
	lab.Default(&l)
	files := guest()
	files["base.sh"].Data = []byte("echo $PODIUM_USER\n")
	p, err := BuildFrom(small()[:1], l, files, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := task(t, p, "a/base").Vars["PODIUM_USER"], task(t, p, "b/base").Vars["PODIUM_USER"]; a != "teacher" || b != "root" {
		t.Errorf("got %s on a, %s on b", a, b)
	}
}

func TestBuildWrongCatalogue(t *testing.T) {
	for want, change := range map[string]func(rows []step.Step){
		"step base on cp: guest script none.sh":       func(rows []step.Step) { rows[0].Script = "none.sh" },
		"guest script none.sh":                        func(rows []step.Step) { rows[1].Probe = "none.sh" },
		"two steps of the catalogue are called base":  func(rows []step.Step) { rows[3].Name = "base" },
		"two steps of the catalogue are called boot":  func(rows []step.Step) { rows[0].Name = "boot" },
		`comes from "nobody", which is not a machine`: func(rows []step.Step) { rows[2].Inputs = inputFrom("nobody", "token.sh") },
		"step join on w1: guest script no-token.sh":   func(rows []step.Step) { rows[2].Inputs = inputFrom("cp", "no-token.sh") },
		"in a circle (cp/init, cp/ready, w1/join, cp": func(rows []step.Step) { rows[1].After = []step.After{{Step: "ready"}} },
	} {
		rows := small()
		change(rows)
		if _, err := BuildFrom(rows, cluster(), guest(), own()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func inputFrom(node, script string) func(step.Context, lab.Machine) []step.Input {
	return func(step.Context, lab.Machine) []step.Input { return []step.Input{{Node: node, Script: script}} }
}

func TestCustomSteps(t *testing.T) {
	for _, test := range []struct {
		name  string
		steps []lab.Step
		want  string // the edges that the plan has more
	}{
		{"everywhere, after base", []lab.Step{{Name: "seed", Script: "seed.sh"}},
			"cp/seed: cp/base\nplain/seed: plain/base\nw1/seed: w1/base\nw2/seed: w2/base"},
		{"on a role, after a step of the same machine", []lab.Step{{Name: "seed", On: []string{"worker"}, After: []string{"join"}, Script: "seed.sh"}},
			"w1/seed: w1/join\nw2/seed: w2/join"},
		{"on a machine, after a step of others", []lab.Step{{Name: "seed", On: []string{"plain"}, After: []string{"join"}, Script: "seed.sh"}},
			"plain/seed: plain/base w1/join w2/join"},
		{"on one of a count", []lab.Step{{Name: "seed", On: []string{"w2"}, Script: "seed.sh"}}, "w2/seed: w2/base"},
		{"on all of a count", []lab.Step{{Name: "seed", On: []string{"w"}, Script: "seed.sh"}}, "w1/seed: w1/base\nw2/seed: w2/base"},
		{"one after the other, written the wrong way round", []lab.Step{
			{Name: "second", On: []string{"cp"}, After: []string{"first"}, Script: "seed.sh"},
			{Name: "first", On: []string{"cp"}, Script: "sub/hosts.sh"},
		}, "cp/first: cp/base\ncp/second: cp/first"},
		{"after a step, and what that waits for anyway", []lab.Step{
			{Name: "seed", On: []string{"w1"}, After: []string{"boot", "base", "join"}, Script: "seed.sh"},
		}, "w1/seed: w1/join"},
		{"a replaced script", []lab.Step{{Name: "base", Script: "seed.sh"}}, ""},
		{"a replaced script with more to wait for", []lab.Step{
			{Name: "first", On: []string{"plain"}, After: []string{"boot"}, Script: "seed.sh"},
			{Name: "init", After: []string{"first"}, Script: "seed.sh"},
		}, "cp/init: cp/base plain/first\nplain/first: plain/boot"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for i := range test.steps {
				test.steps[i].Timeout = "1m"
			}
			before := strings.Split(edges(build(t, cluster())), "\n")
			var more []string
			for _, line := range strings.Split(edges(build(t, cluster(test.steps...))), "\n") {
				if !slices.Contains(before, line) {
					more = append(more, line)
				}
			}
			slices.Sort(more)
			if diff := cmp.Diff(test.want, strings.Join(more, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCustomScriptReplaces(t *testing.T) {
	plain := build(t, cluster())
	p := build(t, cluster(lab.Step{Name: "init", Script: "borrowed.sh", Timeout: "2h", Vars: map[string]string{"GREETING": "hello"}}))
	was, now := task(t, plain, "cp/init"), task(t, p, "cp/init")
	if now.Script.Name != "borrowed.sh" || !strings.Contains(now.Script.Text, "join() { :; }") {
		t.Errorf("script: %+v", now.Script)
	}
	if now.Vars["GREETING"] != "hello" || now.Vars["PODIUM_VERSION"] != "1" || now.Vars["PODIUM_USER"] != "vagrant" {
		t.Errorf("variables: %v", now.Vars)
	}
	if now.Timeout != 2*time.Hour || now.Digest.Script == was.Digest.Script || now.Digest.Files != was.Digest.Files {
		t.Errorf("timeout %v, digest %v after %v", now.Timeout, now.Digest, was.Digest)
	}
	if diff := cmp.Diff([]any{was.After, was.Probe, was.Files, was.Hint, was.Services}, []any{now.After, now.Probe, now.Files, now.Hint, now.Services}); diff != "" {
		t.Errorf("what the script does not decide has changed:\n%s", diff)
	}
	partly := build(t, cluster(lab.Step{Name: "base", On: []string{"w2"}, Script: "seed.sh", Timeout: "1m"}))
	if a, b := task(t, partly, "w1/base").Script.Name, task(t, partly, "w2/base").Script.Name; a != "base.sh" || b != "seed.sh" {
		t.Errorf("on w2 alone: w1 has %s, w2 has %s", a, b)
	}
}

// TestCustomFiles shows that folders go along whole, as text with LF line ends, with what is hidden and with the
// permission to run.
func TestCustomFiles(t *testing.T) {
	p := build(t, cluster(lab.Step{Name: "seed", Script: "seed.sh", Files: []string{"shop", "seed.sh", ".env"}}, lab.Step{Name: "init", Script: "seed.sh", Files: []string{"shop/web.yaml"}}))
	seed := task(t, p, "w1/seed")
	want := []step.File{
		{Path: "/var/lib/podium/files/seed/shop/.hidden", Mode: 0o644, Text: "x\n"},
		{Path: "/var/lib/podium/files/seed/shop/app", Mode: 0o755, Text: "#!/bin/bash\n"},
		{Path: "/var/lib/podium/files/seed/shop/db/db.sql", Mode: 0o644, Text: "create table t;\n"},
		{Path: "/var/lib/podium/files/seed/shop/run.sh", Mode: 0o755, Text: "echo run\n"},
		{Path: "/var/lib/podium/files/seed/shop/web.yaml", Mode: 0o644, Text: "kind: Service\n"},
		{Path: "/var/lib/podium/files/seed/seed.sh", Mode: 0o644, Text: "echo seed on $PODIUM_NODE\n"},
		{Path: "/var/lib/podium/files/seed/.env", Mode: 0o644, Text: "A=1\n"},
	}
	if diff := cmp.Diff(want, seed.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if got := seed.Vars["PODIUM_FILES"]; got != "/var/lib/podium/files/seed" {
		t.Errorf("PODIUM_FILES is %q", got)
	}
	if files := task(t, p, "cp/init").Files; len(files) != 2 || files[1].Path != "/var/lib/podium/files/init/shop/web.yaml" {
		t.Errorf("a step that replaces a script keeps the files of the built-in one: %v", files)
	}
}

// TestCustomProbe shows that a step's own check is run after it, and takes the place of a built-in one.
func TestCustomProbe(t *testing.T) {
	p := build(t, cluster(lab.Step{Name: "init", Script: "seed.sh", Probe: "sub/hosts.sh"}, lab.Step{Name: "mine", Script: "seed.sh", Probe: "sub/hosts.sh"}))
	for _, id := range []TaskID{"cp/init", "w1/mine"} {
		if got := task(t, p, id).Probe; got.Name != "sub/hosts.sh" || got.Text == "" {
			t.Errorf("%s is checked by %q", id, got.Name)
		}
	}
	_, err := BuildFrom(small(), cluster(lab.Step{Name: "mine", Script: "seed.sh", Timeout: "1m", Probe: "none.sh"}), guest(), own())
	if err == nil || !strings.Contains(err.Error(), `steps[0].probe: "none.sh" cannot be read`) {
		t.Errorf("got %v", err)
	}
}

// TestCustomEncoding shows that a script comes as bash understands it, whatever editor wrote it, or is refused.
func TestCustomEncoding(t *testing.T) {
	p := build(t, cluster(lab.Step{Name: "mine", Script: "bom.sh", Probe: "bom.sh"}))
	if got := task(t, p, "w1/mine"); got.Script.Text != "set -e\ntrue\n" || got.Probe.Text != got.Script.Text {
		t.Errorf("script %q, probe %q", got.Script.Text, got.Probe.Text)
	}
	for file, want := range map[string]string{
		"utf16.sh":  `"utf16.sh" is UTF-16 text, as PowerShell's > writes it: save it as UTF-8`,
		"cp949.sh":  `"cp949.sh" is not UTF-8 text (line 2): save it as UTF-8`,
		"broken.sh": `"broken.sh" is not bash: line 1: `,
	} {
		for field, s := range map[string]lab.Step{"script": {Name: "mine", Script: file, Timeout: "1m"}, "probe": {Name: "mine", Script: "seed.sh", Probe: file, Timeout: "1m"}} {
			if _, err := BuildFrom(small(), cluster(s), guest(), own()); err == nil || !strings.HasPrefix(err.Error(), "steps[0]."+field+": "+want) {
				t.Errorf("%s %s: %v, want %s", field, file, err, want)
			}
		}
	}
}

func TestCustomProblems(t *testing.T) {
	l := cluster(
		lab.Step{Name: "a", Script: "none.sh", Timeout: "1m"},
		lab.Step{Name: "b", Script: "half-borrow.sh", Timeout: "1m"},
		lab.Step{Name: "c", Script: "seed.sh", Timeout: "soon"},
		lab.Step{Name: "d", Script: "seed.sh", Timeout: "1m", After: []string{"base", "nothing"}},
		lab.Step{Name: "init", Script: "seed.sh", Timeout: "1m", On: []string{"worker"}},
		lab.Step{Name: "d", Script: "seed.sh", Timeout: "1m"},
		lab.Step{Name: "e", Script: "seed.sh", Timeout: "1m", Files: []string{"shop", "nowhere"}},
		lab.Step{Name: "f", Script: "seed.sh", Timeout: "1m", Files: []string{"picture.png"}},
	)
	_, err := BuildFrom(small(), l, guest(), own())
	var problems lab.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	for i, want := range []string{
		`steps[0].script: "none.sh" cannot be read`, `steps[1].script: "half-borrow.sh" cannot be read`, `steps[2].timeout: "soon" is not a time`,
		`steps[4].on: "w1" does not run the built-in step init`, `steps[5].name: "d" is the name of an earlier step`,
		`steps[6].files[1]: "nowhere" cannot be read`, `steps[7].files[0]: "picture.png" cannot be read (picture.png is not text)`,
		`steps[3].after[1]: "nothing" runs on no machine`,
	} {
		if i >= len(problems) || !strings.HasPrefix(problems[i].Error(), want) {
			t.Errorf("problem %d: got\n%v\nwant %s", i, err, want)
		}
	}
	_, err = BuildFrom(small(), cluster(lab.Step{Name: "base", Script: "seed.sh", Timeout: "1m", After: []string{"init"}}), guest(), own())
	if !errors.As(err, &problems) || !strings.Contains(err.Error(), "in a circle (cp/base, cp/init, cp/base)") {
		t.Errorf("a circle through built-in steps: %v", err)
	}
	if _, err = BuildFrom(small(), cluster(lab.Step{Name: "a", Script: "seed.sh", Timeout: "1m"}), guest(), nil); !errors.As(err, &problems) {
		t.Errorf("no folder: %v", err)
	}
}
