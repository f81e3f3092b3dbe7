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

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		sources, target string
		folder, there   bool
		want            string
	}{
		{"/etc/hosts", "out", false, false, ""},
		{"/etc/hosts", "out/", false, false, "NAME"},
		{"/etc/hosts", "out", false, true, "NAME"},
		{"/etc/hosts /etc/fstab", "out", false, true, "NAME"},
		{"/etc/hosts", "", false, false, "NAME"},
		{"site", "/var/www", true, false, ""},
		{"site", "/var/www", true, true, ""},
		{"site", "/var/www/", true, true, "NAME"},
		{"site", ".", true, true, "NAME"},
		{"site", "a/..", true, true, "NAME"},
		{"site/", "/var/www/", true, true, ""},
		{"site/.", "/var/www", true, true, ""},
		{"./", "/var/www/", true, true, ""},
		{".", "/var/www/", true, true, "NAME"},
		{"site/ app", "/var/www/", true, true, ""},
		{"site.", "x/", true, true, "NAME"},
	} {
		j := copyJob{sources: strings.Fields(c.sources), target: c.target}
		if got := j.place(j.sources[0], "NAME", c.folder, func() bool { return c.there }); got != c.want {
			t.Errorf("%s to %s, there %t: %q, want %q", c.sources, c.target, c.there, got, c.want)
		}
	}
}

func TestParsePlaceOnWindows(t *testing.T) {
	for word, want := range map[string]string{
		`C:\labs\x`: "local", "c:/labs": "c", "d:/labs": "local", "c:": "c", "C:/x": "local", "d:x": "d", "c,d:/x": "c d", `.\c:x`: "local",
	} {
		got := parsePlace(word, "windows", []string{"c", "w1"})
		if shown := strings.Join(got.nodes, " "); got.local != (want == "local") || !got.local && shown != want {
			t.Errorf("%s: %+v, want %s", word, got, want)
		}
	}
}

// FuzzParsePlace: a word is one of the two ends, and nothing of it is lost.
func FuzzParsePlace(f *testing.F) {
	for _, word := range []string{"a", "w1:/x", ":", "a,b:c:d", `C:\x`, ",:", "./a:b"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		for _, system := range []string{"linux", "windows"} {
			p := parsePlace(word, system, []string{"c"})
			if p.local && p.path != word || !p.local && !strings.HasSuffix(word, ":"+p.path) || p.local && len(p.nodes) > 0 {
				t.Errorf("%q on %s: %+v", word, system, p)
			}
		}
	})
}
