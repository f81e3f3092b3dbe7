package state

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// made is a lab that user has locked once, so that its .podium says whose it is.
func made(t *testing.T, user User) *Dir {
	t.Helper()
	d := open(t)
	if err := d.Admit(user); err != nil {
		t.Fatal(err)
	}
	lockOnce(t, d)
	return d
}

func lockOnce(t *testing.T, d *Dir) {
	t.Helper()
	unlock, err := d.Lock(context.Background(), "podium up")
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

// copied copies a lab's folder as cp -r does.
func copied(t *testing.T, from *Dir) *Dir {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from.Lab())); err != nil {
		t.Fatal(err)
	}
	d, err := Open(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(d.Path(), 0o700); err != nil {
		t.Fatal(err)
	}
	return d
}

var (
	ann = User{ID: "ann", Known: true}
	bob = User{ID: "bob", Known: true}
)

func refused(t *testing.T, err error, words string) {
	t.Helper()
	foreign, ok := errors.AsType[*ForeignError](err)
	if !ok || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), foreign.Path) {
		t.Errorf("got %v, want a *ForeignError with its path and %q", err, words)
	}
}

func TestAdmit(t *testing.T) {
	d := made(t, ann)
	if err := d.Admit(ann); err != nil {
		t.Errorf("my own: %v", err)
	}
	refused(t, d.Admit(bob), "another user or on another computer")
	refused(t, d.Admit(User{Known: true}), "another user or on another computer") // has made no lab yet
	if err := d.Admit(User{}); err != nil {
		t.Errorf("where users have no word: %v", err)
	}
	if err := errors.Join(d.Admit(bob), d.Adopt(), d.Admit(bob)); !errors.As(err, new(*ForeignError)) || strings.Count(err.Error(), "another user") != 1 {
		t.Errorf("adopted: %v", err)
	}
	refused(t, d.Admit(ann), "another user")
}

func TestAdmitTellsACopyFromAMove(t *testing.T) {
	first := made(t, ann)
	second := copied(t, first)
	refused(t, second.Admit(ann), "is a copy of the one in "+realPath(first.Lab()))
	if err := first.Admit(ann); err != nil {
		t.Errorf("the first one, while a copy exists: %v", err)
	}

	// The folder by another path is not a copy.
	path := filepath.Join(t.TempDir(), "link")
	if err := link(first.Lab(), path); err == nil {
		linked, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := linked.Admit(ann); err != nil {
			t.Errorf("the folder by a link: %v", err)
		}
	}
	if !same(first.files, first.files) || same(first.files, second.files) {
		t.Error("the same folder is not told from another one")
	}

	// Adopted, the copy is a .podium of its own.
	if err := second.Adopt(); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Dir{first, second} {
		if err := d.Admit(ann); err != nil {
			t.Errorf("after the copy was adopted: %s: %v", d.Lab(), err)
		}
	}

	// A moved folder goes on: nothing of its name is at the old place. So does one in whose old place another lab is.
	for _, meanwhile := range []bool{false, true} {
		from := made(t, ann)
		to := filepath.Join(t.TempDir(), "moved")
		if err := os.Rename(from.Lab(), to); err != nil {
			t.Fatal(err)
		}
		if meanwhile {
			if err := os.Mkdir(from.Lab(), 0o700); err != nil {
				t.Fatal(err)
			}
			lockOnce(t, from)
		}
		d, err := Open(to)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Admit(ann); err != nil {
			t.Errorf("moved: %v", err)
		}
		lockOnce(t, d)
		if o, err := d.readOrigin(); err != nil || o.Folder != realPath(to) || o.User != "ann" {
			t.Errorf("after the move .podium is noted as %+v, %v", o, err)
		}
		refused(t, copied(t, d).Admit(ann), "is a copy")
	}
}

func TestAdmitWithoutOrigin(t *testing.T) {
	d := open(t)
	if err := d.Admit(ann); err != nil {
		t.Errorf("no .podium: %v", err)
	}
	lockOnce(t, d)
	if err := os.Remove(d.Path(originName)); err != nil {
		t.Fatal(err)
	}
	if err := d.Admit(ann); err != nil {
		t.Errorf("a process was killed before it wrote its origin down: %v", err)
	}
	lockOnce(t, d)
	refused(t, d.Admit(bob), "another user")

	// An archive keeps modes, and may leave the origin out, or bring one that names nobody.
	for _, name := range []string{stateName, KeyName, "applied.yaml", "known_hosts"} {
		d := made(t, ann)
		if err := errors.Join(os.Remove(d.Path(originName)), os.WriteFile(d.Path(name), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		refused(t, d.Admit(ann), "has no origin.json")
		if err := errors.Join(d.Adopt(), d.Admit(ann)); err != nil {
			t.Errorf("with %s, adopted: %v", name, err)
		}
	}
	if err := os.WriteFile(d.Path(originName), []byte(`{"id":"x","folder":"/gone"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, d.Admit(ann), "does not say who made it")
	refused(t, d.Admit(User{Known: true}), "does not say who made it")
	if err := os.WriteFile(d.Path(originName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Admit(ann); err == nil || !strings.Contains(err.Error(), "delete the file") {
		t.Errorf("an origin that is broken: %v", err)
	}
}

// link makes a symbolic link; Wine makes none, and says nothing.
func link(to, path string) error {
	if err := os.Symlink(to, path); err != nil {
		return err
	}
	_, err := os.Lstat(path)
	return err
}

func TestAdmitRefusesALink(t *testing.T) {
	first, second := made(t, ann), open(t)
	if err := link(first.Path(), second.Path()); err != nil {
		t.Skipf("symbolic links cannot be made here (%v): on Windows switch the developer mode on", err)
	}
	refused(t, second.Admit(ann), "is not a folder")
	if err := second.Adopt(); err == nil {
		t.Error("a link is adopted")
	}
	if err := second.Save(full()); err == nil {
		t.Error("a state is saved through a link that leads out of the lab's folder")
	}
}

func TestAdmitRefusesAnOpenKey(t *testing.T) {
	d := made(t, ann)
	if err := os.WriteFile(d.Path(KeyName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Admit(ann); err != nil {
		t.Error(err)
	}
	if !hasModes() {
		t.Skip("this system has no modes")
	}
	if err := os.Chmod(d.Path(KeyName), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.Admit(ann); err == nil || !strings.Contains(err.Error(), "0644") || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others can read: %v", err)
	}
	if err := os.Chmod(d.Path(), 0o755); err != nil { // a disk without modes
		t.Fatal(err)
	}
	if err := d.Admit(ann); err != nil {
		t.Errorf("where nothing has modes: %v", err)
	}
	if err := errors.Join(os.Remove(d.Path(KeyName)), os.Symlink(filepath.Join("..", "..", "x"), d.Path(KeyName))); err != nil {
		t.Fatal(err)
	}
	if err := d.Admit(ann); err == nil {
		t.Error("a key outside the folder is admitted")
	}
}

func FuzzParseOrigin(f *testing.F) {
	f.Add([]byte(`{"id":"a","folder":"/x","user":"u","name":"ann on pc"}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := parseOrigin(text); err != nil && !strings.Contains(err.Error(), originName) {
			t.Errorf("the error does not name the file: %v", err)
		}
	})
}
