package main

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"podium/provision/folder"
	"podium/provision/state"
)

// userFile holds the word by which .podium tells its user from others, beside the user's settings.
const userFile = "podium/user"

// user is who runs podium.
func (a *app) user() state.User {
	dir := a.userDir()
	if dir == "" {
		return state.User{}
	}
	text, err := folder.ReadFile(filepath.Join(dir, filepath.FromSlash(userFile)), 1<<10)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return state.User{} // a home that cannot be read, as of some services
	}
	return state.User{ID: strings.TrimSpace(string(text)), Known: true}
}

// userMade is who runs podium, with a word that is made now unless there is one.
func (a *app) userMade() state.User {
	u := a.user()
	if !u.Known || u.ID != "" {
		return u
	}
	u.ID = rand.Text()
	path := filepath.Join(a.userDir(), filepath.FromSlash(userFile))
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = folder.WriteFile(path, []byte(u.ID+"\n"), 0o600)
	}
	if err != nil {
		a.log.Debug("the user has no word of their own", "error", err)
		return state.User{}
	}
	return u
}

// userDir is the folder of the user's settings; empty where there is no home to make it in.
func (a *app) userDir() string {
	if a.Config == nil {
		return ""
	}
	dir, err := a.Config()
	if err != nil {
		return ""
	}
	for _, path := range []string{dir, filepath.Dir(dir)} {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return dir
		}
	}
	return ""
}

// admit refuses a .podium that the user did not make here, unless --adopt is given.
func (a *app) admit(where labRef) error {
	err := where.state.Admit(a.user())
	foreign, ok := errors.AsType[*state.ForeignError](err)
	switch {
	case !ok:
		return err
	case !a.adopt:
		return fail(exitUsage, "%w", err).hinted(
			"to make a lab of your own here, delete the folder %s\nto take over its machines, keys and state, if you trust them: --adopt", shellWord(foreign.Path))
	}
	u := a.userMade()
	if err := where.state.Admit(u); !errors.As(err, &foreign) {
		return err
	}
	if err := where.state.Adopt(); err != nil {
		return err
	}
	a.warn("%s %s: adopted", foreign.Path, foreign.Reason)
	return where.state.Admit(u)
}

// trusted refuses a lab in a folder above the current one that somebody else has put there.
func trusted(dir, arg string) error {
	for _, path := range []string{dir, filepath.Join(dir, state.DirName)} {
		owner, ok := folder.OwnerOf(path)
		if ok && !owner.Me && !owner.Sudo && !owner.System {
			return usage("the nearest lab, in %s, belongs to another user (%s)", dir, owner.Name).
				hinted("name it if you mean it: podium up %s", shellWord(arg))
		}
	}
	return nil
}
