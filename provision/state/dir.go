package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/gofrs/flock"

	"podium/provision/folder"
)

// DirName is the directory inside a lab's folder that holds all that podium keeps of it.
const DirName = ".podium"

// Dir is the directory .podium of one lab. Its methods may be called side by side. Only the holder of Lock may
// change anything; reading needs no lock.
type Dir struct {
	lab   string        // the lab's folder, absolute
	files folder.Folder // lab/.podium
	user  User          // who runs podium, as Admit was told
	lock  *flock.Flock  // held since Lock; nil: never

	mu sync.Mutex // serialises writes of state.json by this process
}

// Open gives the directory of the lab whose folder is labDir. It makes nothing: .podium appears with the first write.
// It fails when labDir is not a folder.
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
	return &Dir{lab: abs, files: folder.At(abs).Sub(DirName)}, nil
}

// Lab is the lab's folder, absolute.
func (d *Dir) Lab() string { return d.lab }

// Files is .podium, to read what is in it.
func (d *Dir) Files() folder.Folder { return d.files }

// Path joins names below .podium; without names it is .podium itself.
func (d *Dir) Path(names ...string) string { return d.files.Path(names...) }

// Exists reports whether podium has kept anything of this lab yet.
func (d *Dir) Exists() bool { return d.files.Exists(".") }

// Remove deletes .podium with everything in it: state, keys, logs, journal, and the lock that this process holds.
func (d *Dir) Remove() error {
	if d.lock != nil && runtime.GOOS == "windows" { // which deletes no open file
		if err := d.lock.Unlock(); err != nil {
			return fmt.Errorf("remove %s: %w", d.Path(), err)
		}
	}
	if err := folder.At(d.lab).RemoveAll(DirName); err != nil {
		return fmt.Errorf("remove %s: %w", d.Path(), err)
	}
	return nil
}

// Make makes .podium, readable by its owner only because keys and secrets live in it. It keeps itself out of git.
func (d *Dir) Make() error {
	if err := d.makeDir(); err != nil {
		return err
	}
	if d.files.Exists(ignoreName) {
		return nil
	}
	_ = folder.Private(d.Path()) // disks such as most memory sticks cannot
	err := d.files.Write(ignoreName, []byte("# podium's: keys, state and logs of this computer\n*\n"), 0o600)
	if folder.IsFull(err) {
		return nil // it is of no use for what frees space
	}
	return err
}

const ignoreName = ".gitignore"

// makeDir makes a folder of .podium.
func (d *Dir) makeDir(names ...string) error {
	if err := d.files.MkdirAll(filepath.Join(names...)); err != nil {
		return fmt.Errorf("make %s: %w", d.Path(names...), err)
	}
	return nil
}

// logName is where the log of a step on a node lies below .podium. A name that would lead out of the directory of logs
// is an error.
func logName(node, step string) (string, error) {
	for _, name := range []string{node, step} {
		if name == "" || !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) {
			return "", fmt.Errorf("log of %q, step %q: a name must not contain a path", node, step)
		}
	}
	return filepath.Join("logs", node, step+".log"), nil
}

// LogPath is where the output of the last run of a step on a node is kept. It returns an error for a name that
// would lead out of the directory of logs.
func (d *Dir) LogPath(node, step string) (string, error) {
	name, err := logName(node, step)
	if err != nil {
		return "", err
	}
	return d.Path(name), nil
}

// Log starts the log of a step on a node, in place of that of its last run. The caller closes it.
func (d *Dir) Log(node, step string) (*Log, error) {
	name, err := logName(node, step)
	if err != nil {
		return nil, err
	}
	l, err := startLog(d.files, name)
	if errors.Is(err, fs.ErrNotExist) { // the node's first step
		if err := d.makeDir("logs", node); err != nil {
			return nil, err
		}
		l, err = startLog(d.files, name)
	}
	return l, err
}

// startLog empties a log and forgets the part of it that was moved aside.
func startLog(files folder.Folder, name string) (*Log, error) {
	if err := files.Remove(older(name)); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	l := &Log{files: files, name: name, limit: maxStepLog}
	return l, l.open(os.O_TRUNC)
}
