package remote

import (
	"io/fs"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestBadName(t *testing.T) {
	for name, want := range map[string]string{
		"plain": "", "한글": "", "console": "", "com10": "", "a.con": "", ".hidden": "", "nul-": "", "..x": "",
		"": "not a name", ".": "not a name", "..": "not a name", "a/b": "not a name", "a\x00": "not a name",
		"a:b": "a character", "what?": "a character", `a\b`: "a character", "bell\a": "a character",
		"dot.": "ends in a dot", "sp ": "ends in a dot",
		"con": "name of a device", "NUL.txt": "name of a device", "lpt1": "name of a device", "COM¹.x": "name of a device", "aux .c": "name of a device",
	} {
		if got := badName(name, "windows"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q on Windows: %q, want %q", name, got, want)
		}
		if got := badName(name, "linux"); (got != "") != (want == "not a name") {
			t.Errorf("%q on Linux: %q", name, got)
		}
	}
}

func TestCheckNames(t *testing.T) {
	files := func(names ...string) *tree {
		t := &tree{folders: []entry{{rel: ".", mode: fs.ModeDir}}}
		for _, name := range names {
			t.files = append(t.files, entry{rel: name})
		}
		return t
	}
	for _, test := range []struct {
		system string
		tree   *tree
		want   string
	}{
		{"windows", files("a/README", "b/readme"), ""},
		{"windows", files("a/README", "a/readme"), `"a/README" and "a/readme" would be one file`},
		{"darwin", files("Ä", "ä"), "would be one file"},
		{"linux", files("README", "readme", "con", "a:b"), ""},
		{"windows", files("deep/con"), `"deep/con" is the name of a device on Windows: rename it`},
		{"windows", files("dot."), "ends in a dot"},
	} {
		err := test.tree.checkNames(test.system)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%v on %s: %v, want %q", test.tree.files, test.system, err, test.want)
		}
	}
}

// FuzzBadName: what is taken for a name must stay in its folder.
func FuzzBadName(f *testing.F) {
	for _, name := range []string{"a", "..", "a/b", `..\x`, "C:", "con.txt", "\x00", "."} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if badName(name, "linux") == "" && path.Dir(path.Join("top", name)) != "top" {
			t.Errorf("%q leads out of its folder", name)
		}
		if badName(name, runtime.GOOS) == "" && (filepath.Dir(filepath.Join("top", name)) != "top" || !filepath.IsLocal(name)) {
			t.Errorf("%q leads out of its folder on this computer", name)
		}
		if badName(name, "windows") == "" && strings.ContainsAny(name, `\:`) {
			t.Errorf("%q leads out of its folder on Windows", name)
		}
	})
}
