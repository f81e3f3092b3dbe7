package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"podium/provision/folder"
)

func some(t *testing.T) (Ledger, string) {
	t.Helper()
	dir := t.TempDir()
	return At(folder.At(dir)), filepath.Join(dir, FileName)
}

func append3(t *testing.T, l Ledger) {
	t.Helper()
	for _, e := range []Entry{
		{Kind: Start, Exercise: "web"},
		{Kind: Checked, Exercise: "web", Checks: []Mark{{Name: "a", Result: "does-not-hold", Points: 2}}},
		{Kind: Checked, Exercise: "web", Checks: []Mark{{Name: "a", Result: "holds", Points: 2}}},
	} {
		if err := l.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEdits changes a ledger as a hand would.
func TestEdits(t *testing.T) {
	lines := func(text string) []string { return strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n") }
	for name, c := range map[string]struct {
		edit func(string) string
		line int // 0: nothing is wrong
		left int
	}{
		"untouched":  {func(s string) string { return s }, 0, 3},
		"first line": {func(s string) string { return strings.Replace(s, `"start"`, `"reset"`, 1) }, 2, 3},
		"a result":   {func(s string) string { return strings.Replace(s, "does-not-hold", "holds", 1) }, 3, 3},
		"last line": {func(s string) string {
			return strings.Replace(s, `"result":"holds","points":2`, `"result":"holds","points":9`, 1)
		}, 3, 3},
		"line removed": {func(s string) string { l := lines(s); return l[0] + l[2] + "\n" }, 2, 2},
		"all removed":  {func(string) string { return "" }, 1, 0},
		"last removed": {func(s string) string { l := lines(s); return l[0] + l[1] }, 2, 2},
		"not JSON":     {func(s string) string { l := lines(s); return l[0] + "x\n" + l[1] + l[2] + "\n" }, 2, 3},
		"torn":         {func(s string) string { return s + `{"v":1,"ki` }, 0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			l, path := some(t)
			append3(t, l)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.edit(string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
			entries, err := l.Read()
			var tampered *TamperedError
			errors.As(err, &tampered)
			switch {
			case c.line == 0 && err != nil:
				t.Error(err)
			case c.line > 0 && (tampered == nil || tampered.Line != c.line):
				t.Errorf("got %v, want line %d", err, c.line)
			}
			if len(entries) != c.left {
				t.Errorf("%d entries, want %d", len(entries), c.left)
			}
			if err := l.Append(Entry{Kind: Hinted, Exercise: "web", Hint: 1}); err != nil {
				t.Fatal(err)
			}
			if entries, _ = l.Read(); len(entries) != c.left+1 {
				t.Errorf("%d entries after another one, want %d", len(entries), c.left+1)
			}
		})
	}
}

// TestKilledBeforeTheHead: a podium that was killed between line and head has done nothing wrong.
func TestKilledBeforeTheHead(t *testing.T) {
	l, path := some(t)
	append3(t, l)
	head := filepath.Join(filepath.Dir(path), headName)
	before, err := os.ReadFile(head)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Append(Entry{Kind: Hinted, Exercise: "web", Hint: 1}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(head, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Read(); err != nil {
		t.Error(err)
	}
}

func TestSeveralWriters(t *testing.T) {
	l, _ := some(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := l.Append(Entry{Kind: Hinted, Exercise: "web", Hint: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if entries, err := l.Read(); err != nil || len(entries) != 8 {
		t.Error(len(entries), err)
	}
}

func TestStandings(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 1, 1, 9, minute, 0, 0, time.UTC) }
	marks := func(a, b string) []Mark { return []Mark{{"a", a, 2, ""}, {"b", b, 1, ""}} }
	entries := []Entry{
		{Time: at(0), Kind: Start, Exercise: "web"},
		{Time: at(1), Kind: Answered, Exercise: "web", Answers: map[string]string{"b": "x"}},
		{Time: at(2), Kind: Checked, Exercise: "web", Checks: marks("holds", "does-not-hold")},
		{Time: at(3), Kind: Hinted, Exercise: "web", Hint: 2, Cost: 1},
		{Time: at(4), Kind: Hinted, Exercise: "web", Hint: 2, Cost: 1}, // read again
		{Time: at(5), Kind: Checked, Exercise: "web", Checks: marks("does-not-hold", "holds")},
	}
	s := Standings(entries)["web"]
	if s.Points() != 2 || s.Attempt != 1 || s.HintCost != 1 || s.Answers["b"] != "x" {
		t.Errorf("%+v", s)
	}
	if a := s.Checks["a"]; a.First != at(2) || a.Now != "does-not-hold" || a.Tries != 2 {
		t.Errorf("first success and now are not kept apart: %+v", a)
	}
	entries = append(entries, Entry{Time: at(6), Kind: Reset, Exercise: "web"})
	if s = Standings(entries)["web"]; s.Attempt != 2 || len(s.Checks) != 0 || s.Points() != 2 {
		t.Errorf("a reset loses something, or keeps what is stale: %+v", s)
	}
	entries = append(entries, Entry{Time: at(7), Kind: Solved, Exercise: "web"}, Entry{Time: at(8), Kind: Checked, Exercise: "web", Checks: marks("holds", "holds")})
	if s = Standings(entries)["web"]; s.Points() != 2 || !s.Shown || s.Checks["a"].Now != "holds" || s.Done != at(8) {
		t.Errorf("points for a solution that was shown: %+v", s)
	}
	if Current(entries) != "web" {
		t.Error(Current(entries))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"v":1,"kind":"start","exercise":"a","prev":""}`+"\n"), "")
	f.Fuzz(func(t *testing.T, text []byte, head string) {
		entries, _ := parse(text, head)
		Standings(entries)
		Current(entries)
	})
}
