package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"podium/provision/remote"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB) *Dir {
	t.Helper()
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// full is a state with something in every field.
func full() State {
	return State{
		Version: Version, Lab: "k8s", Provider: "sim", Restoring: "a",
		Machines: map[string]Machine{"cp": {
			Roles: []string{"control-plane"}, Address: "192.168.56.10", Place: 1, Made: true, Removed: true,
			Endpoint: &remote.Endpoint{Node: "cp", Host: "127.0.0.1", Port: 2222, User: "podium", KeyFile: "k", HostKeys: []string{"x"}, Jump: &remote.Endpoint{Host: "j"}},
			Services: []string{"kubelet"}, Plan: map[string]string{"base": "a:b:c"}, Unchecked: true, NotRehearsed: []string{"x"},
			MadeWith: &Settings{CPUs: "2", Memory: "2GiB", Box: "bento/ubuntu-24.04", User: "vagrant", Network: "192.168.56.0/24"},
		}},
		Steps: map[string]map[string]Step{"cp": {"base": {Done: time.Unix(1700000000, 0).UTC(), Duration: time.Second, Digest: "a:b:c"}}},
		Facts: map[string]map[string]string{"cp": {"secret_x": "\"quoted\"\nline <&> 한국"}},
		Failures: map[string]map[string]Failure{"cp": {"kube-ready": {
			At: time.Unix(1700000000, 0).UTC(), Error: "exit code 1", Last: []string{"w1 is NotReady"}, Hint: "look", Log: "l",
		}}},
		Snapshots: []Snapshot{{Tag: "ready", Taken: time.Unix(1700000000, 0).UTC(), Nodes: []string{"cp"}, Auto: true, Incomplete: true}},
	}
}

func TestSaveAndLoad(t *testing.T) {
	d := open(t)
	s, err := d.Load()
	if err != nil || d.Exists() {
		t.Fatalf("load of nothing gives %v and makes .podium: %v", err, d.Exists())
	}
	s.Machines["a"], s.Steps["a"], s.Facts["a"] = Machine{}, nil, nil // the maps are there
	if err := d.Save(full()); err != nil {
		t.Fatal(err)
	}
	got, err := d.Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full(), got); diff != "" {
		t.Errorf("load (-saved +loaded):\n%s", diff)
	}
	if runtime.GOOS != "windows" {
		for name, want := range map[string]os.FileMode{"state.json": 0o600, "": 0o700} {
			if info, err := os.Stat(d.Path(name)); err != nil || info.Mode().Perm() != want {
				t.Errorf("%q has mode %v, want %v", name, info.Mode().Perm(), want)
			}
		}
	}
	if left, _ := filepath.Glob(d.Path(".state*")); len(left) != 0 {
		t.Errorf("save leaves %v", left)
	}
}

func TestLoadOfWhatIsNoState(t *testing.T) {
	whole, err := encode(full())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		want       error
		says       string
	}{
		{"empty", "", ErrBroken, "it is empty"},
		{"spaces", " \n", ErrBroken, "it is empty"},
		{"cut off", string(whole[:len(whole)/2]), ErrBroken, "unexpected end of JSON input"},
		{"zeros after a power failure", strings.Repeat("\x00", 300), ErrBroken, "byte 1 of 300"},
		{"garbage", "lorem ipsum", ErrBroken, "byte 1 of 11"},
		{"other JSON", `["x"]`, ErrBroken, "cannot unmarshal"},
		{"no version", `{"lab": "x"}`, ErrBroken, "no version"},
		{"wrong type inside", `{"version": 1, "machines": 3}`, ErrBroken, "machines"},
		{"newer", `{"version": 2, "machines": 3}`, ErrNewer, "format 2, this podium knows 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := open(t)
			if err := d.Save(full()); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(d.Path("state.json"), []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := d.Load()
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), d.Path("state.json")) {
				t.Errorf("load gives %v, want %v that says %q and names the file", err, tt.want, tt.says)
			}
			if err := d.Update(func(*State) error { return nil }); !errors.Is(err, tt.want) {
				t.Errorf("update gives %v, want %v", err, tt.want)
			}
			if err := d.Keep(); err == nil {
				t.Error("a broken file is kept as a good copy")
			}
			if text, _ := os.ReadFile(d.Path("state.json")); string(text) != tt.text {
				t.Errorf("the file was changed to %q", text)
			}
		})
	}
}

func TestKeptCopy(t *testing.T) {
	d := open(t)
	if err := d.Keep(); err != nil {
		t.Errorf("keep of nothing gives %v", err)
	}
	if err := errors.Join(d.Save(full()), d.Keep(), d.Save(State{Lab: "later"})); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.Path("state.json"), 5); err != nil {
		t.Fatal(err)
	}
	_, err := d.Load()
	broken, ok := errors.AsType[*BrokenError](err)
	if !ok || broken.Kept != d.Path("state.json.old") || !strings.Contains(err.Error(), broken.Kept) {
		t.Fatalf("load gives %v, want that it names the kept copy", err)
	}
	if err := os.Rename(broken.Kept, broken.Path); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Load(); err != nil || !cmp.Equal(full(), got) {
		t.Errorf("the kept copy is %+v, %v", got, err)
	}
}

func TestUpdateThatFailsChangesNothing(t *testing.T) {
	d := open(t)
	if err := d.Save(full()); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	if err := d.Update(func(s *State) error { s.Lab = "other"; return boom }); !errors.Is(err, boom) {
		t.Errorf("update gives %v", err)
	}
	if got, _ := d.Load(); got.Lab != "k8s" {
		t.Errorf("lab is %q", got.Lab)
	}
}

func TestSaveWhereNothingCanBeWritten(t *testing.T) {
	d := open(t)
	if err := os.WriteFile(d.Path(), []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Save(full()); err == nil || !strings.Contains(err.Error(), d.Path()) {
		t.Errorf("save gives %v, want the place", err)
	}
}

func TestRecord(t *testing.T) {
	d := open(t)
	r := d.Record(State{Lab: "x"})
	var work sync.WaitGroup
	for i := range 50 {
		work.Go(func() {
			for j := range 20 {
				r.Update(func(s *State) {
					node := fmt.Sprint("n", i)
					if s.Steps[node] == nil {
						s.Steps[node] = map[string]Step{}
					}
					s.Steps[node][fmt.Sprint("s", j)] = Step{Digest: "d"}
				})
			}
		})
	}
	work.Wait()
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	r.Update(func(s *State) { s.Lab = "y" })
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err == nil {
		t.Error("a second close is not an error")
	}
	s, err := d.Load()
	if err != nil || s.Lab != "y" || len(s.Steps) != 50 || len(s.Steps["n7"]) != 20 {
		t.Errorf("saved: %q, %d nodes, %v", s.Lab, len(s.Steps), err)
	}
}

func TestRecordTellsThatItCannotSave(t *testing.T) {
	d := open(t)
	if err := os.WriteFile(d.Path(), []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := d.Record(State{})
	r.Update(func(s *State) { s.Lab = "y" })
	if err := r.Close(); err == nil {
		t.Error("close succeeds although nothing could be saved")
	}
}

func TestJournal(t *testing.T) {
	d := open(t)
	type line struct{ N int }
	write := func(numbers ...int) {
		t.Helper()
		j, err := d.OpenJournal()
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range numbers {
			if err := j.Append(line{n}); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	read := func() []int {
		t.Helper()
		var got []int
		for raw, err := range d.ReadJournal() {
			var l line
			if err := errors.Join(err, json.Unmarshal(raw, &l)); err != nil {
				t.Fatal(err)
			}
			got = append(got, l.N)
		}
		return got
	}
	if got := read(); len(got) != 0 {
		t.Errorf("a journal that was never written has %v", got)
	}
	write(1, 2)
	f, err := os.OpenFile(d.Path(journalName), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"N": 3, "tor`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := read(), []int{1, 2}; !slices.Equal(got, want) {
		t.Errorf("with a torn line: %v, want %v", got, want)
	}
	write(4)
	if got, want := read(), []int{1, 2, 4}; !slices.Equal(got, want) {
		t.Errorf("after a torn line: %v, want %v", got, want)
	}
}

func TestLogStaysBounded(t *testing.T) {
	d := open(t)
	if err := d.makeDir(); err != nil {
		t.Fatal(err)
	}
	l, err := newLog(d.files, "log", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if _, err := fmt.Fprintf(l, "line %d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("write after close gives %v", err)
	}
	text, err := os.ReadFile(d.Path("log"))
	if err != nil || !strings.HasSuffix(string(text), "line 999\n") {
		t.Errorf("log ends with %q, %v", text[max(0, len(text)-20):], err)
	}
	all, _ := filepath.Glob(d.Path("log*"))
	for _, path := range all {
		if info, err := os.Stat(path); err != nil || info.Size() > 1000 {
			t.Errorf("%s has %d bytes", path, info.Size())
		}
	}
	if len(all) != 2 {
		t.Errorf("files: %v, want two", all)
	}
}

func TestLogStartsAfresh(t *testing.T) {
	d := open(t)
	for _, text := range []string{"first run\n", "second run\n"} {
		l, err := d.Log("w1", "base")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	path, err := d.LogPath("w1", "base")
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "second run\n" {
		t.Errorf("log is %q", text)
	}
	for _, bad := range [][2]string{{"..", "x"}, {"a/b", "x"}, {"a", "../x"}, {`a\b`, "x"}, {"", "x"}, {"a", ""}} {
		if _, err := d.Log(bad[0], bad[1]); err == nil {
			t.Errorf("a log may be of %q", bad)
		}
	}
}

func TestOpenRefusesWhatIsNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lab.yaml")
	if _, err := Open(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil || !strings.Contains(err.Error(), "give the folder") {
		t.Errorf("a file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	whole, err := encode(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(`{"version":1,"machines":null,"steps":{"a":null}}`))
	f.Add([]byte(`{"version":1e300}`))
	f.Add([]byte(`{"version":1,"machines":{"a":{"services":[]}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parse(text)
		if err != nil {
			return
		}
		again, err := encode(s)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := parse(again)
		if err != nil || !cmp.Equal(s, back, cmpopts.EquateEmpty()) { // omitempty leaves an empty list out
			t.Errorf("written and read again it differs (%v):\n%s", err, cmp.Diff(s, back))
		}
	})
}

func TestLoadRefusesWhatIsNotAName(t *testing.T) {
	for what, spoil := range map[string]func(*State){
		"machine":  func(s *State) { s.Machines["../../../../victim"] = Machine{} },
		"steps":    func(s *State) { s.Steps[".."] = nil },
		"step":     func(s *State) { s.Steps["cp"]["a/b"] = Step{} },
		"facts":    func(s *State) { s.Facts["a b"] = nil },
		"plan":     func(s *State) { s.Machines["cp"].Plan["-x"] = "a:b" },
		"tag":      func(s *State) { s.Snapshots[0].Tag = "--all" },
		"set":      func(s *State) { s.Snapshots[0].Nodes[0] = `..\x` },
		"lab":      func(s *State) { s.Lab = "a/../b" },
		"restored": func(s *State) { s.Restoring = "../x" },
	} {
		s := full()
		spoil(&s)
		d := open(t)
		if err := d.Save(s); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Load(); !errors.Is(err, ErrBroken) || !strings.Contains(err.Error(), "is not the name of a") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestMakeKeepsItselfOutOfGit(t *testing.T) {
	d := open(t)
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(d.Path(".gitignore"))
	if err != nil || !strings.Contains(string(text), "\n*\n") {
		t.Errorf(".gitignore is %q, %v", text, err)
	}
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte("{\"n\":1}\n{\"n\": torn\n\n{\"n\":2}"))
	f.Add([]byte("\xff\n[\n\"x\"\r\n"))
	d := open(f)
	if err := d.Make(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(d.Path(journalName), text, 0o600); err != nil {
			t.Fatal(err)
		}
		for line, err := range d.ReadJournal() {
			if err != nil || !json.Valid(line) {
				t.Fatalf("read: %q, %v", line, err)
			}
		}
	})
}
