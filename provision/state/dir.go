package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// DirName is the directory inside a lab's folder that holds all that podium keeps of it.
const DirName = ".podium"

// Dir is the directory .podium of one lab. Its methods may be called side by side. Only the holder of Lock may
// change anything; reading needs no lock.
type Dir struct {
	lab  string // the lab's folder, absolute
	root string // lab/.podium

	mu sync.Mutex // serialises writes of state.json by this process
}

// Open gives the directory of the lab whose folder is labDir. It makes nothing: .podium appears with the first write.
// It fails when labDir is no folder.
func Open(labDir string) (*Dir, error) {
	abs, err := filepath.Abs(labDir)
	if err != nil {
		return nil, fmt.Errorf("lab folder %s: %w", labDir, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, fmt.Errorf("lab folder: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("lab folder %s: is a file: give the folder that holds lab.yaml", abs)
	}
	return &Dir{lab: abs, root: filepath.Join(abs, DirName)}, nil
}

// Lab is the lab's folder, absolute.
func (d *Dir) Lab() string { return d.lab }

// Path joins names below .podium; without names it is .podium itself.
func (d *Dir) Path(names ...string) string {
	return filepath.Join(append([]string{d.root}, names...)...)
}

// Exists reports whether podium has kept anything of this lab yet.
func (d *Dir) Exists() bool {
	_, err := os.Stat(d.root)
	return err == nil
}

// Remove deletes .podium with everything in it: state, keys, logs, journal.
func (d *Dir) Remove() error {
	if err := os.RemoveAll(d.root); err != nil {
		return fmt.Errorf("remove %s: %w", d.root, err)
	}
	return nil
}

// makeDir makes .podium, readable by its owner only because keys and secrets live in it.
func (d *Dir) makeDir(names ...string) error {
	if err := os.MkdirAll(d.Path(names...), 0o700); err != nil {
		return fmt.Errorf("make %s: %w", d.Path(names...), err)
	}
	return nil
}

// LogPath is where the output of the last run of a step on a node is kept. It returns an error for a name that
// would lead out of the directory of logs.
func (d *Dir) LogPath(node, step string) (string, error) {
	for _, name := range []string{node, step} {
		if name == "" || !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) {
			return "", fmt.Errorf("log of %q, step %q: a name must not contain a path", node, step)
		}
	}
	return d.Path("logs", node, step+".log"), nil
}

// Log starts the log of a step on a node afresh. The caller closes it.
func (d *Dir) Log(node, step string) (*Log, error) {
	path, err := d.LogPath(node, step)
	if err != nil {
		return nil, err
	}
	l, err := startLog(path)
	if errors.Is(err, fs.ErrNotExist) { // the node's first step
		if err := d.makeDir("logs", node); err != nil {
			return nil, err
		}
		l, err = startLog(path)
	}
	return l, err
}

// startLog empties the log at path and forgets the part of it that was moved aside.
func startLog(path string) (*Log, error) {
	if err := os.Remove(older(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("log: %w", err)
	}
	l := &Log{path: path, limit: maxStepLog}
	return l, l.open(os.O_TRUNC)
}
