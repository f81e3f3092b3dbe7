package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// lay makes a folder "lab" with files beside a file "secret" outside it.
func lay(t *testing.T) (top string, f Folder) {
	t.Helper()
	top = t.TempDir()
	dir := filepath.Join(top, "lab")
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"secret": "secret", "lab/plain": "plain", "lab/sub/deep": "deep"} {
		if err := os.WriteFile(filepath.Join(top, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return top, At(dir)
}

// link makes a symbolic link, or skips where the system does not let this user.
func link(t *testing.T, to, path string) {
	t.Helper()
	err := os.Symlink(to, path)
	if err == nil {
		_, err = os.Lstat(path) // Wine makes none, and says nothing
	}
	if err != nil {
		t.Skipf("symbolic links cannot be made here (%v): on Windows switch the developer mode on", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("symbolic links are made here and not followed, as under Wine: %v", err)
	}
}

func TestReadStaysInside(t *testing.T) {
	top, f := lay(t)
	link(t, filepath.Join("..", "secret"), f.Path("out"))
	link(t, filepath.Join(top, "secret"), f.Path("absolute"))
	link(t, "..", f.Path("up"))
	link(t, "plain", f.Path("in"))
	link(t, top, filepath.Join(top, "elsewhere"))
	for name, want := range map[string]string{"plain": "plain", "sub/deep": "deep", "in": "plain"} {
		if text, err := f.Read(filepath.FromSlash(name), 100); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	for _, name := range []string{"out", "absolute", "up/secret", "../secret"} {
		for how, err := range map[string]error{
			"read": second(f.Read(filepath.FromSlash(name), 100)), "stat": second(f.Stat(filepath.FromSlash(name))),
			"append": second(f.OpenFile(filepath.FromSlash(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)),
		} {
			if !errors.Is(err, ErrOutside) || !strings.Contains(err.Error(), "symbolic link") {
				t.Errorf("%s %s: %v, want ErrOutside", how, name, err)
			}
		}
	}
	// The folder itself may be reached by a link; one inside another folder may not lead out of that.
	if _, err := At(filepath.Join(top, "elsewhere")).Read("secret", 100); err != nil {
		t.Error(err)
	}
	if _, err := f.Sub("up").Read("secret", 100); !errors.Is(err, ErrOutside) {
		t.Errorf("by a folder that is a link: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestWriteReplacesALinkAndFollowsNone(t *testing.T) {
	top, f := lay(t)
	link(t, filepath.Join("..", "secret"), f.Path("out"))
	if err := f.Write("out", []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(top, "secret")); err != nil || string(text) != "secret" {
		t.Errorf("the file outside is %q, %v", text, err)
	}
	info, err := os.Lstat(f.Path("out"))
	if err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link is still there: %v, %v", info.Mode(), err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v", info.Mode())
	}
	link(t, "..", f.Path("up"))
	if err := f.Write(filepath.Join("up", "x"), nil, 0o600); !errors.Is(err, ErrOutside) {
		t.Errorf("in a folder outside: %v", err)
	}
	for _, entry := range dir(t, f.Path()) {
		if strings.HasPrefix(entry, ".") {
			t.Errorf("left: %s", entry)
		}
	}
}

func dir(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestReadIsBounded(t *testing.T) {
	_, f := lay(t)
	if _, err := f.Read("plain", 4); !errors.Is(err, ErrTooLarge) {
		t.Errorf("5 bytes of 4: %v", err)
	}
	if text, err := f.Read("plain", 5); err != nil || string(text) != "plain" {
		t.Errorf("5 bytes of 5: %q, %v", text, err)
	}
	if _, err := fs.ReadFile(f.FS(4), "plain"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("as a file system: %v", err)
	}
	if _, err := ReadFile(f.Path("plain"), 4); !errors.Is(err, ErrTooLarge) {
		t.Errorf("by its path: %v", err)
	}
	if _, err := f.Read("sub", 100); !errors.Is(err, ErrNotRegular) && runtime.GOOS != "windows" {
		t.Errorf("a folder: %v", err)
	}
	if _, err := f.Read("none", 100); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), f.Path("none")) {
		t.Errorf("nothing: %v, want the whole path", err)
	}
}

func TestDiscardLeavesNothing(t *testing.T) {
	_, f := lay(t)
	p, err := f.Create("plain", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	p.Discard()
	p.Discard()
	if text, err := f.Read("plain", 100); err != nil || string(text) != "plain" {
		t.Errorf("the old file is %q, %v", text, err)
	}
	if got := dir(t, f.Path()); len(got) != 2 {
		t.Errorf("the folder has %v", got)
	}
}

func TestRemove(t *testing.T) {
	top, f := lay(t)
	link(t, "..", f.Path("up"))
	if err := errors.Join(f.Remove("none"), f.RemoveAll("none"), f.RemoveAll("sub")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"../secret", "up/secret"} {
		if err := f.RemoveAll(filepath.FromSlash(name)); !errors.Is(err, ErrOutside) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(top, "secret")); err != nil {
		t.Error(err)
	}
}

func TestWalk(t *testing.T) {
	_, f := lay(t)
	var seen []string
	err := fs.WalkDir(f.FS(100), ".", func(name string, _ fs.DirEntry, err error) error {
		seen = append(seen, name)
		return err
	})
	if err != nil || strings.Join(seen, " ") != ". plain sub sub/deep" {
		t.Errorf("walk sees %v, %v", seen, err)
	}
}

func TestOwner(t *testing.T) {
	_, f := lay(t)
	owner, ok := OwnerOf(f.Path("plain"))
	if !ok || !owner.Me || owner.Name == "" {
		t.Errorf("a file of my own belongs to %+v, %v", owner, ok)
	}
	if _, ok := OwnerOf(f.Path("none")); ok {
		t.Error("a file that is not there has an owner")
	}
}
