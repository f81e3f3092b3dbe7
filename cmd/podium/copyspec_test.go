package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCopyJob(t *testing.T) {
	type want struct {
		up      bool
		nodes   string
		sources string
		target  string
	}
	for _, c := range []struct {
		words string
		on    selection
		want  want
	}{
		{words: "file w1:/etc/x", want: want{true, "w1", "file", "/etc/x"}},
		{words: "file w1,cp:", want: want{true, "cp w1", "file", ""}},
		{words: "a b :/tmp/", want: want{true, "cp w1 w2 w10", "a b", "/tmp/"}},
		{words: "a :/tmp/", on: selection{roles: []string{"worker"}}, want: want{true, "w1 w2 w10", "a", "/tmp/"}},
		{words: "./odd:name cp:x", want: want{true, "cp", "./odd:name", "x"}},
		{words: "keys/{node}.pem :/etc/key.pem", want: want{true, "cp w1 w2 w10", "keys/{node}.pem", "/etc/key.pem"}},
		{words: "cp:/etc/hosts .", want: want{false, "cp", "/etc/hosts", "."}},
		{words: ":/etc/hosts out-{node}", want: want{false, "cp w1 w2 w10", "/etc/hosts", "out-{node}"}},
		{words: "cp:/a cp:/b out", want: want{false, "cp", "/a /b", "out"}},
		{words: ":/var/log out/{node}/", on: selection{nodes: []string{"w2", "w1"}}, want: want{false, "w1 w2", "/var/log", "out/{node}/"}},
	} {
		job, err := newCopyJob(strings.Fields(c.words), testBench(), c.on)
		if err != nil {
			t.Errorf("%s: %v", c.words, err)
			continue
		}
		got := want{job.up, strings.Join(job.nodes, " "), strings.Join(job.sources, " "), job.target}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(want{})); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.words, diff)
		}
	}
}

func TestCopyJobRefuses(t *testing.T) {
	for words, want := range map[string]string{
		"a b":             "both on this computer",
		"w1:/a w2:/b":     "both ends are on nodes",
		"w1:/a w2:/b c":   "on different nodes",
		":/etc/hosts out": "4 nodes would write to the same out: put {node} into the name, such as out-{node}",
		"a w9:/tmp":       `no node "w9": there are cp, w1, w2, w10`,
		"w1: out":         "a source has no path",
	} {
		_, err := newCopyJob(strings.Fields(words), testBench(), selection{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", words, err, want)
		}
	}
	_, err := newCopyJob([]string{"a", "w1:/b"}, testBench(), selection{roles: []string{"worker"}})
	if err == nil || !strings.Contains(err.Error(), "named twice") {
		t.Errorf("nodes named twice: %v", err)
	}
}

func TestLocalTarget(t *testing.T) {
	isDir := func(p string) bool { return p == "there" }
	for _, c := range []struct{ sources, target, want string }{
		{"/etc/hosts", "out", "out"},
		{"/etc/hosts", "out/", "out/hosts"},
		{"/etc/hosts", "there", "there/hosts"},
		{"/etc/hosts /etc/fstab", "x-{node}", "x-w1/hosts"},
		{"/etc/hosts", "x/{node}.txt", "x/w1.txt"},
	} {
		j := copyJob{sources: strings.Fields(c.sources), target: c.target}
		if got := j.localTarget("w1", j.sources[0], isDir); got != c.want {
			t.Errorf("%s to %s: %q, want %q", c.sources, c.target, got, c.want)
		}
	}
}
