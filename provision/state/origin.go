package state

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"podium/provision/folder"
)

// originName is the file that says where .podium was made, and by whom.
const originName = "origin.json"

// origin is what origin.json holds. It is the first file of a lab that is written.
type origin struct {
	ID     string `json:"id"`     // of this .podium; a copy has it too
	Folder string `json:"folder"` // the lab's folder when podium last changed the lab
	User   string `json:"user"`   // User.ID; empty: not known
	Name   string `json:"name"`   // the user and the computer, for messages
}

// User tells who runs podium from the users of other computers, whose numbers may be the same.
type User struct {
	ID    string // a random word of the user on this computer; empty: the user has made no lab yet
	Known bool   // false where the system has no place for such a word
}

// ForeignError is a .podium that the user did not make in this folder. Nothing in it was used.
type ForeignError struct {
	Path   string // of .podium
	Reason string
}

// Error says what is known of it.
func (e *ForeignError) Error() string { return fmt.Sprintf("%s %s", e.Path, e.Reason) }

// Admit refuses, with a *ForeignError, a .podium that user did not make: it belongs to somebody else, came from another
// computer, or is a copy of another lab's, whose machines it would control. One that was moved with its folder is
// admitted. It also refuses a private key that others can read. user counts for what Lock writes down afterwards.
func (d *Dir) Admit(user User) error {
	d.user = user
	info, err := os.Lstat(d.Path())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at %s: %w", d.Path(), err)
	case !info.IsDir():
		return &ForeignError{d.Path(), "is not a folder that podium made"}
	}
	if err := d.checkUser(); err != nil {
		return err
	}
	if original := d.copyOf(); original != "" {
		return &ForeignError{d.Path(), fmt.Sprintf("is a copy of the one in %s, and would control the machines of that lab", original)}
	}
	return d.checkKey(info)
}

// checkUser looks who made .podium.
func (d *Dir) checkUser() error {
	owner, ok := folder.OwnerOf(d.Path())
	if ok && owner.Sudo {
		return nil
	}
	made, err := d.readOrigin()
	switch {
	case errors.Is(err, fs.ErrPermission) && ok && !owner.Me, ok && !owner.Me && (made.User == "" || made.User != d.user.ID):
		return &ForeignError{d.Path(), fmt.Sprintf("belongs to another user (%s)", owner.Name)}
	case errors.Is(err, fs.ErrNotExist):
		if d.untouched() {
			return nil // a process was killed before it wrote that down
		}
		return &ForeignError{d.Path(), "has no " + originName + ", which podium writes first: it may come from an archive"}
	case err != nil:
		return fmt.Errorf("read where .podium was made: %w", err)
	case made.User != "" && d.user.Known && made.User != d.user.ID:
		return &ForeignError{d.Path(), fmt.Sprintf("was made by another user or on another computer (%s)", made.Name)}
	case made.User == "" && d.user.Known && (d.user.ID != "" || made.Folder != realPath(d.lab)):
		return &ForeignError{d.Path(), "does not say who made it"}
	}
	return nil
}

// untouched reports whether .podium holds nothing but what taking the lock for the first time puts there.
func (d *Dir) untouched() bool {
	entries, err := d.files.ReadDir(".")
	return err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return !slices.Contains([]string{ignoreName, lockName, noteName, reserveName}, e.Name()) &&
			!strings.HasPrefix(e.Name(), folder.TempPrefix(originName))
	})
}

// copyOf is the folder of the lab that .podium was copied from; empty when it is not a copy: that folder is gone, has
// another .podium meanwhile, or is this one by another path.
func (d *Dir) copyOf() string {
	made, err := d.readOrigin()
	if err != nil || made.Folder == "" || made.Folder == realPath(d.lab) {
		return ""
	}
	other := folder.At(made.Folder).Sub(DirName)
	there, err := readOrigin(other)
	if err != nil || there.ID != made.ID || same(d.files, other) {
		return ""
	}
	return made.Folder
}

// same reports whether two paths are one folder. Where it is mounted twice the system may take it for two: then a file
// made by one path is looked for by the other.
func same(a, b folder.Folder) bool {
	one, err := os.Stat(a.Path())
	if err != nil {
		return false
	}
	two, err := os.Stat(b.Path())
	if err != nil {
		return false
	}
	if os.SameFile(one, two) {
		return true
	}
	probe := folder.TempPrefix(originName) + rand.Text()
	file, err := a.OpenFile(probe, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	_ = file.Close()
	found := b.Exists(probe)
	_ = a.Remove(probe) // sweep takes it otherwise
	return found
}

// KeyName is the lab's own private key in .podium.
const KeyName = "id_ed25519"

// checkKey refuses a key that others could read or have put there, as OpenSSH does.
func (d *Dir) checkKey(dir fs.FileInfo) error {
	info, err := d.files.Stat(KeyName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the lab's key: %w", err)
	}
	path := d.Path(KeyName)
	mine, _ := folder.OwnerOf(d.Path())
	switch owner, ok := folder.OwnerOf(path); {
	case !info.Mode().IsRegular():
		return fmt.Errorf("the lab's key %s is not a file: delete it", path)
	case ok && mine.Me && !owner.Me:
		return fmt.Errorf("the lab's key %s belongs to another user (%s): destroy the lab and make it again, or take the file over by chown", path, owner.Name)
	case hasModes() && private(dir) && !private(info): // else the file system keeps no modes
		return fmt.Errorf("the lab's key %s can be read by other users (mode %04o): chmod 600 it, or, if others have used it, destroy the lab and make it again",
			path, info.Mode().Perm())
	}
	return nil
}

// hasModes reports whether the system has modes that keep other users from a file.
func hasModes() bool { return runtime.GOOS != "windows" }

func private(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 == 0 }

// Adopt makes .podium this user's and this folder's.
func (d *Dir) Adopt() error {
	if info, err := os.Lstat(d.Path()); err != nil || !info.IsDir() {
		return fmt.Errorf("%s cannot be adopted: it is not a folder: delete it", d.Path())
	}
	if owner, ok := folder.OwnerOf(d.Path()); ok && owner.Me && hasModes() {
		if err := errors.Join(os.Chmod(d.Path(), 0o700), d.protectKey()); err != nil {
			return fmt.Errorf("adopt %s: %w", d.Path(), err)
		}
	}
	return d.writeOrigin(origin{ID: rand.Text(), User: d.user.ID})
}

func (d *Dir) protectKey() error {
	file, err := d.files.Open(KeyName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(file.Chmod(0o600), file.Close())
}

// noteOrigin writes down where .podium is and whose, when that is not known or has changed. It is for the lock's
// holder. What cannot be written is tried again by the next one.
func (d *Dir) noteOrigin() {
	if owner, ok := folder.OwnerOf(d.Path()); ok && owner.Sudo {
		return // it stays the user's
	}
	made, err := d.readOrigin()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		made.ID = rand.Text()
	case err != nil:
		return // Admit tells
	case made.User == "" && d.user.ID != "":
	case made.Folder == realPath(d.lab) || same(d.files, folder.At(made.Folder).Sub(DirName)):
		return
	}
	if made.User == "" {
		made.User = d.user.ID
	}
	_ = d.writeOrigin(made)
}

// writeOrigin writes where .podium is now.
func (d *Dir) writeOrigin(o origin) error {
	name, host := person()
	o.Folder, o.Name = realPath(d.lab), name+" on "+host
	text, err := json.MarshalIndent(o, "", " ")
	if err != nil {
		return err
	}
	return d.write(originName, append(text, '\n'))
}

func (d *Dir) readOrigin() (origin, error) { return readOrigin(d.files) }

func readOrigin(files folder.Folder) (origin, error) {
	text, err := files.Read(originName, maxNote)
	if err != nil {
		return origin{}, err
	}
	return parseOrigin(text)
}

func parseOrigin(text []byte) (origin, error) {
	var o origin
	if err := json.Unmarshal(text, &o); err != nil {
		return origin{}, fmt.Errorf("%s: %w: delete the file if you made this lab here", originName, err)
	}
	return o, nil
}

// realPath is where a folder is without links on the way, so that another way to it is not taken for another folder.
func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path // some network drives of Windows
}
