package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"podium/provision/event"
	"podium/provision/lab"
	"podium/provision/plan"
)

var testStart = time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC)

// golden compares got with testdata/name, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); go test -update rewrites it:\n%s", path, diff)
	}
}

// liveFor makes a model for nodes with three steps each.
func liveFor(s screen, width, height int, nodes ...string) liveModel {
	var p plan.Plan
	for _, n := range nodes {
		p.Machines = append(p.Machines, lab.Machine{Name: n})
		for _, step := range []string{"boot", "base", "docker"} {
			p.Tasks = append(p.Tasks, plan.Task{Node: n, Step: step})
		}
	}
	m := liveModel{runTable: newRunTable(p, testStart), title: "강의 (simulated)", now: testStart, clock: func() time.Time { return testStart },
		interrupt: func() {}, look: newLook(s)}
	return update(m, tea.WindowSizeMsg{Width: width, Height: height})
}

func update(m liveModel, msg tea.Msg) liveModel {
	next, _ := m.Update(msg)
	return next.(liveModel)
}

func (m liveModel) after(d time.Duration) liveModel { return update(m, tickMsg(testStart.Add(d))) }

func happened(m liveModel, second int, kind event.Kind, node, step, text string) {
	e := event.Event{Time: testStart.Add(time.Duration(second) * time.Second), Kind: kind, Node: node, Step: step, Text: text}
	if kind == event.TaskFailed || kind == event.TaskRetrying {
		e.Text, e.Error = "", text
	}
	if kind == event.TaskRetrying {
		e.Attempt, e.Tries = 1, 6
	}
	m.Emit(e)
}

func TestLiveView(t *testing.T) {
	for name, s := range map[string]screen{"unicode": {unicode: true}, "ascii": {}} {
		t.Run(name, func(t *testing.T) {
			m := liveFor(s, 72, 24, "cp", "w1", "w2", "w3", "web-server")
			var pictures strings.Builder
			show := func(m liveModel, d time.Duration) {
				for _, l := range m.take() {
					fmt.Fprintln(&pictures, l.text)
				}
				fmt.Fprintf(&pictures, "--- %v\n%s\n", d, m.after(d).View().Content)
			}
			show(m, 0)
			for i, n := range []string{"cp", "w1", "w2"} {
				happened(m, i, event.TaskStarted, n, "boot", "missing")
			}
			happened(m, 2, event.TaskSkipped, "web-server", "boot", "")
			happened(m, 2, event.TaskSkipped, "web-server", "base", "")
			happened(m, 2, event.TaskSkipped, "web-server", "docker", "")
			show(m, 5*time.Second)
			happened(m, 9, event.TaskDone, "cp", "boot", "")
			happened(m, 9, event.TaskStarted, "cp", "base", "missing")
			happened(m, 9, event.TaskStarted, "cp", "docker", "missing")
			happened(m, 10, event.TaskOutput, "cp", "base", "\x1b[31m패키지 목록을 읽는 중입니다... 완료 그리고 더 많은 글자\x1b[0m\a")
			happened(m, 10, event.TaskDone, "w1", "boot", "")
			happened(m, 11, event.TaskStarted, "w1", "base", "missing")
			happened(m, 11, event.TaskRetrying, "w1", "base", "SSH connection lost")
			happened(m, 12, event.TaskFailed, "w2", "boot", "no answer from 192.168.56.12:22")
			happened(m, 12, event.TaskBlocked, "w2", "base", "w2/boot")
			happened(m, 12, event.TaskBlocked, "w2", "docker", "w2/boot")
			happened(m, 12, event.TaskSkipped, "w3", "boot", "")
			happened(m, 12, event.TaskBlocked, "w3", "base", "w2/boot")
			happened(m, 12, event.TaskBlocked, "w3", "docker", "w2/boot")
			show(m, 75*time.Second)
			happened(m, 80, event.TaskDone, "cp", "base", "")
			happened(m, 81, event.TaskDone, "cp", "docker", "")
			m = update(m, tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
			show(m, 4000*time.Second)
			golden(t, "live-"+name+".txt", pictures.String())
		})
	}
}

func TestLiveViewFitsTheWindow(t *testing.T) {
	var nodes []string
	for i := range 100 {
		nodes = append(nodes, fmt.Sprintf("node-%d", i+1))
	}
	for _, size := range [][2]int{{80, 24}, {40, 10}, {20, 5}, {10, 3}, {200, 200}, {1, 1}} {
		m := liveFor(screen{unicode: true, color: true}, size[0], size[1], nodes...)
		for i, n := range nodes {
			if i%3 == 0 {
				happened(m, 1, event.TaskStarted, n, "boot", "missing")
				happened(m, 2, event.TaskOutput, n, "boot", strings.Repeat("한글", 200))
			}
		}
		happened(m, 3, event.TaskStarted, "node-50", "boot", "missing")
		happened(m, 3, event.TaskFailed, "node-50", "boot", "broken")
		lines := strings.Split(m.after(5*time.Second).View().Content, "\n")
		if size[1] >= 5 && len(lines) > size[1] {
			t.Errorf("%v: %d lines", size, len(lines))
		}
		for _, line := range lines {
			if w := ansi.StringWidth(line); w > size[0] {
				t.Errorf("%v: a line has %d columns: %q", size, w, line)
			}
		}
		if text := strings.Join(lines, "\n"); size[0] >= 40 && size[1] < 100 && !strings.Contains(text, "more nodes") {
			t.Errorf("%v: says nothing about the nodes that do not fit:\n%s", size, text)
		}
	}
}

// A node that is halted, or whose services have to come back, is at work although all its tasks are done.
func TestLiveViewOfWaits(t *testing.T) {
	m := liveFor(screen{}, 80, 24, "a")
	for _, step := range []string{"boot", "base", "docker"} {
		happened(m, 1, event.TaskDone, "a", step, "")
	}
	row := func() string {
		lines := strings.Split(m.after(9*time.Second).View().Content, "\n")
		return strings.Join(strings.Fields(lines[1]), " ")
	}
	if got := row(); got != "+ a ############ 2/2 done at 1.0s" {
		t.Errorf("when all is done: %q", got)
	}
	happened(m, 4, event.Waiting, "a", "", "its services work again")
	if got := row(); got != "/ a ############ 2/2 its services work again 0:05" {
		t.Errorf("as soon as it waits: %q", got)
	}
	m.Emit(event.Event{Time: testStart.Add(6 * time.Second), Kind: event.Waiting, Node: "a", Step: "docker", Text: "no such socket", Duration: 2 * time.Second})
	if got := row(); got != "/ a ############ 2/2 its services work again 0:05 docker: no such socket" {
		t.Errorf("while it waits: %q", got)
	}
	happened(m, 8, event.WaitOver, "a", "", "its services work again")
	if got := row(); got != "+ a ############ 2/2 done at 1.0s" {
		t.Errorf("afterwards: %q", got)
	}
}

// A full window shows who works and who failed before who waits.
func TestLiveViewShowsWhatMatters(t *testing.T) {
	m := liveFor(screen{}, 80, 7, "a", "b", "c", "d", "e", "f", "g")
	happened(m, 1, event.TaskStarted, "f", "boot", "missing")
	happened(m, 1, event.TaskFailed, "g", "boot", "broken")
	text := m.after(2 * time.Second).View().Content
	for _, want := range []string{"/ f", "x g", "5 more nodes: 5 waiting"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestLiveHeightStays(t *testing.T) {
	m := liveFor(screen{}, 80, 24, "a", "b")
	before := strings.Count(m.View().Content, "\n")
	happened(m, 1, event.TaskStarted, "a", "boot", "missing")
	happened(m, 1, event.TaskFailed, "a", "boot", "broken")
	happened(m, 1, event.TaskDone, "b", "boot", "")
	m = update(m, tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
	if after := strings.Count(m.after(time.Minute).View().Content, "\n"); after != before {
		t.Errorf("the picture had %d line ends, has %d: terminals flicker when its height changes", before, after)
	}
}

func TestCtrlCInTheViewInterrupts(t *testing.T) {
	m := liveFor(screen{}, 80, 24, "a")
	interrupted := 0
	m.interrupt = func() { interrupted++ }
	_, cmd := m.Update(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
	if cmd == nil {
		t.Fatal("no command")
	}
	if cmd(); interrupted != 1 {
		t.Errorf("interrupted %d times", interrupted)
	}
}

func TestLineBuffer(t *testing.T) {
	var got []string
	l := &lineBuffer{print: func(s string) { got = append(got, s) }}
	for _, part := range []string{"a", "b\nc\n", "", "d", "\n"} {
		if _, err := l.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"ab", "c", "d"}, got); diff != "" {
		t.Error(diff)
	}
}
