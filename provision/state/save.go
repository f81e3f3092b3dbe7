package state

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"podium/provision/folder"
)

// Version is the format of state.json that this package writes. It reads this and none newer.
const Version = 1

// maxState bounds what is read of a state file, in bytes: that of a thousand nodes has a tenth of it.
const maxState = 64 << 20

const (
	stateName = "state.json"
	keptName  = "state.json.old" // the state before the last change of the lab began

	reserveName = "reserve"
	reserveSize = 128 << 10
)

// Errors of Load that callers tell apart by errors.Is.
var (
	ErrBroken = errors.New("state file is broken")
	ErrNewer  = errors.New("state file was written by a newer podium")
)

// BrokenError is a state file that cannot be read as one. It is ErrBroken. Nothing has been changed.
type BrokenError struct {
	Path string
	Kept string // a good copy of an earlier state; empty: there is none
	Err  error
}

// Error names the file and the ways to go on.
func (e *BrokenError) Error() string {
	s := fmt.Sprintf("%s is broken: %v: nothing was changed; ", e.Path, e.Err)
	if e.Kept != "" {
		return s + fmt.Sprintf("put the copy kept before the last change in its place (%s), or move the file away and run up again: the machines are asked what they have", e.Kept)
	}
	return s + "move the file away and run up again: the machines are asked what they have"
}

// Unwrap gives the reason.
func (e *BrokenError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrBroken) true.
func (e *BrokenError) Is(target error) bool { return target == ErrBroken }

// HasState reports whether there is a state file, whatever is in it.
func (d *Dir) HasState() bool { return d.files.Exists(stateName) }

// Load reads state.json. A lab without one has an empty State. A file that is not a state gives *BrokenError, one of a
// later version ErrNewer; neither is touched.
func (d *Dir) Load() (State, error) {
	s, err := d.load(stateName)
	if errors.Is(err, fs.ErrNotExist) {
		return empty(), nil
	}
	if broken, ok := errors.AsType[*BrokenError](err); ok {
		if _, err := d.load(keptName); err == nil {
			broken.Kept = d.Path(keptName)
		}
	}
	return s, err
}

func (d *Dir) load(name string) (State, error) {
	text, err := d.files.Read(name, maxState)
	if err != nil {
		return State{}, fmt.Errorf("read state: %w", err)
	}
	s, err := parse(text)
	switch {
	case errors.Is(err, ErrNewer):
		return State{}, fmt.Errorf("%s: %w", d.Path(name), err)
	case err != nil:
		return State{}, &BrokenError{Path: d.Path(name), Err: err}
	}
	return s, nil
}

// parse reads the text of a state file.
func parse(text []byte) (State, error) {
	var v struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return State{}, place(text, err)
	}
	switch {
	case v.Version > Version:
		return State{}, fmt.Errorf("%w: format %d, this podium knows %d: use the podium that wrote it", ErrNewer, v.Version, Version)
	case v.Version < 1:
		return State{}, fmt.Errorf("no version in it")
	}
	s := empty()
	if err := json.Unmarshal(text, &s); err != nil {
		return State{}, place(text, err)
	}
	s.fill()
	return s, s.checkNames()
}

// place says where in the text JSON went wrong, since a person has to look there.
func place(text []byte, err error) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errors.New("it is empty")
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("byte %d of %d: %w", syntax.Offset, len(text), err)
	}
	return err
}

func empty() State {
	s := State{Version: Version}
	s.fill()
	return s
}

// fill makes the maps that a file may leave out, so that callers can write into them.
func (s *State) fill() {
	if s.Machines == nil {
		s.Machines = map[string]Machine{}
	}
	if s.Steps == nil {
		s.Steps = map[string]map[string]Step{}
	}
	if s.Facts == nil {
		s.Facts = map[string]map[string]string{}
	}
	if s.Failures == nil {
		s.Failures = map[string]map[string]Failure{}
	}
}

// Save writes state.json: whole or not at all, 0600.
func (d *Dir) Save(s State) error {
	text, err := encode(s)
	if err != nil {
		return err
	}
	return d.saveText(text)
}

func encode(s State) ([]byte, error) {
	s.Version = Version
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return nil, fmt.Errorf("save state: %w", err)
	}
	return append(text, '\n'), nil
}

func (d *Dir) saveText(text []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.Make(); err != nil {
		return err
	}
	err := d.write(stateName, text)
	if folder.IsFull(err) && errors.Join(d.files.Remove(reserveName), d.files.Remove(keptName)) == nil {
		err = d.write(stateName, text)
	}
	return err
}

// reserve keeps space for one more state on a disk that runs full: what frees space there, such as destroy, has to
// write down what it has done.
func (d *Dir) reserve() {
	if d.files.Exists(reserveName) {
		return
	}
	filling := make([]byte, reserveSize)
	_, _ = rand.Read(filling)         // never fails; zeros would take no space on some file systems
	_ = d.write(reserveName, filling) // where it cannot be had, there is none
}

// Update loads, lets change work on the state, and saves. An error of change leaves the file as it was. Callers that
// call it hold Lock, so that nobody else saves in between.
func (d *Dir) Update(change func(*State) error) error {
	s, err := d.Load()
	if err != nil {
		return err
	}
	if err := change(&s); err != nil {
		return err
	}
	return d.Save(s)
}

// Keep puts a copy of state.json aside before a change of the lab begins: what a person falls back on when the file
// itself gets broken. A lab without state has nothing to keep; a broken file is never kept.
func (d *Dir) Keep() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	text, err := d.files.Read(stateName, maxState)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keep a copy of the state: %w", err)
	}
	if _, err := parse(text); err != nil {
		return &BrokenError{Path: d.Path(stateName), Err: err}
	}
	if err := d.write(keptName, text); !folder.IsFull(err) {
		return err
	}
	return nil // what frees space must not fail for the lack of it
}

// WriteFile writes a file of the lab's directory, whole or not at all, 0600: such as applied.yaml.
func (d *Dir) WriteFile(name string, text []byte) error {
	if err := d.Make(); err != nil {
		return err
	}
	return d.write(name, text)
}

func (d *Dir) write(name string, text []byte) error { return d.files.Write(name, text, 0o600) }
