package plan

import (
	"testing"
	"testing/fstest"

	"podium/provision/lab"
	"podium/provision/step"
)

// TestDigest changes one thing at a time and looks which parts of which digests follow.
func TestDigest(t *testing.T) {
	type change struct {
		lab   func(l *lab.Lab)
		rows  func(rows []step.Step)
		guest func(files fstest.MapFS)
		want  map[TaskID]string // parts that differ, by task; tasks that are not named stay as they are
	}
	for name, c := range map[string]change{
		"nothing": {},
		"another name of a script": {
			rows:  func(rows []step.Step) { rows[0].Script = "other.sh" },
			guest: func(files fstest.MapFS) { files["other.sh"] = files["base.sh"] },
		},
		"CRLF": {guest: func(files fstest.MapFS) {
			files["init.sh"] = &fstest.MapFile{Data: []byte("echo $PODIUM_VERSION $PODIUM_HOSTS\r\n")}
		}},
		"a script": {
			guest: func(files fstest.MapFS) { files["ready.sh"] = &fstest.MapFile{Data: []byte("false\n")} },
			want:  map[TaskID]string{"cp/ready": "script"},
		},
		"a probe": {
			guest: func(files fstest.MapFS) {
				files["probe.sh"] = &fstest.MapFile{Data: []byte("echo $PODIUM_ADDRESS!\n")}
			},
			want: map[TaskID]string{"cp/init": "script"},
		},
		"a library": {
			guest: func(files fstest.MapFS) { files["lib/net.sh"] = &fstest.MapFile{Data: []byte("join() { true; }\n")} },
			want:  map[TaskID]string{"w1/join": "script", "w2/join": "script"},
		},
		"the script of an input": {
			guest: func(files fstest.MapFS) { files["token.sh"] = &fstest.MapFile{Data: []byte("echo  $PODIUM_LAB\n")} },
			want:  map[TaskID]string{"w1/join": "script", "w2/join": "script"},
		},
		"a variable of a row": {
			rows: func(rows []step.Step) {
				rows[1].Vars = func(step.Context, lab.Machine) step.Vars { return step.Vars{"PODIUM_VERSION": "2"} }
			},
			want: map[TaskID]string{"cp/init": "vars"},
		},
		"the text of a file": {
			rows: func(rows []step.Step) { rows[1].Files = oneFile("/f", 0o600, "other") },
			want: map[TaskID]string{"cp/init": "files"},
		},
		"the mode of a file": {
			rows: func(rows []step.Step) { rows[1].Files = oneFile("/f", 0o644, "text") },
			want: map[TaskID]string{"cp/init": "files"},
		},
		"the name of the lab, which the token's script reads": {
			lab:  func(l *lab.Lab) { l.Name = "other" },
			want: map[TaskID]string{"w1/join": "vars", "w2/join": "vars"},
		},
		"a variable that no script reads": {lab: func(l *lab.Lab) { l.DNS = []string{"192.168.1.1"} }},
		"hint, service and time": {rows: func(rows []step.Step) {
			rows[1].Hint, rows[1].Services, rows[1].Timeout, rows[1].About = "x", nil, 1, "y"
		}},
		"one more machine, which the hosts of init tell": {
			lab:  func(l *lab.Lab) { l.Nodes[1].Count = 3 },
			want: map[TaskID]string{"cp/init": "vars", "plain/base": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := build(t, cluster())
			l, rows, files := cluster(), small(), guest()
			if c.lab != nil {
				c.lab(&l)
			}
			if c.rows != nil {
				c.rows(rows)
			}
			if c.guest != nil {
				c.guest(files)
			}
			after, err := BuildFrom(rows, l, files, own())
			if err != nil {
				t.Fatal(err)
			}
			for _, was := range before.Tasks {
				if got, want := differs(was.Digest, task(t, after, was.ID).Digest), c.want[was.ID]; got != want {
					t.Errorf("%s: %q differs, want %q", was.ID, got, want)
				}
			}
		})
	}
}

func oneFile(path string, mode uint32, text string) func(step.Context, lab.Machine) []step.File {
	return func(step.Context, lab.Machine) []step.File {
		return []step.File{{Path: path, Mode: mode, Text: text}}
	}
}

// differs names the parts in which two digests differ.
func differs(a, b Digest) string {
	parts := ""
	if a.Script != b.Script {
		parts += "script"
	}
	if a.Vars != b.Vars {
		parts += "vars"
	}
	if a.Files != b.Files {
		parts += "files"
	}
	return parts
}

// TestDigestOfCustomSteps shows that a step of the lab's own runs again when what it reads has changed, and only then.
func TestDigestOfCustomSteps(t *testing.T) {
	steps := func(vars map[string]string) []lab.Step {
		return []lab.Step{
			{Name: "seed", Script: "seed.sh", Timeout: "1m", Vars: vars},
			{Name: "hosts", Script: "sub/hosts.sh", Timeout: "1m"},
		}
	}
	before := build(t, cluster(steps(nil)...))
	larger := cluster(steps(nil)...)
	larger.Nodes[1].Count = 3
	after := build(t, larger)
	for id, want := range map[TaskID]string{"w1/seed": "", "plain/seed": "", "w1/hosts": "vars", "plain/hosts": "vars"} {
		if got := differs(task(t, before, id).Digest, task(t, after, id).Digest); got != want {
			t.Errorf("%s: %q differs, want %q", id, got, want)
		}
	}
	if vars := task(t, after, "plain/seed").Vars; vars["PODIUM_HOSTS"] == "" || vars["PODIUM_NODE"] != "plain" {
		t.Errorf("a step of the lab's own gets every variable, this one has %v", vars)
	}
	withFile := steps(nil)
	withFile[0].Files = []string{"shop/web.yaml"}
	if got := differs(task(t, before, "w1/seed").Digest, task(t, build(t, cluster(withFile...)), "w1/seed").Digest); got != "files" {
		t.Errorf("with a file: %q differs", got)
	}
	after = build(t, cluster(steps(map[string]string{"UNREAD": "x"})...))
	if got := differs(task(t, before, "w1/seed").Digest, task(t, after, "w1/seed").Digest); got != "vars" {
		t.Errorf("with a variable of its own: %q differs", got)
	}
}

// TestDigestIsPinned keeps digests from changing by accident: that would run every step of every lab again.
func TestDigestIsPinned(t *testing.T) {
	task := Task{
		Script: Script{Name: "a.sh", Text: "true\n"}, Probe: Script{Text: "probe\n"},
		Files:  []step.File{{Path: "/etc/a", Mode: 0o644, Text: "a"}},
		Inputs: []Input{{Node: "cp", Script: Script{Text: "token\n"}, Vars: map[string]string{"C": "3"}}},
	}
	want := Digest{
		Script: "9cf15c0ae132df8aa0f0654b23906d1ad2a37d29897d7e6264c58218ffd7aaa8", Vars: "1c19563f914e728f90178473ed4c84ab743741b3639c163b02b8f98dbfdb5ee4", Files: "91a0edf50e1ce0f4526150d1d2ec2d934e85f76e10e47a2fec6627d8bdeb8568",
	}
	if got := digest(task, map[string]string{"A": "1", "B": "2"}); got != want {
		t.Errorf("got %+v", got)
	}
}
