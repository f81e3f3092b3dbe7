package folder

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write writes a file, whole or not at all, in place of what has its name: a file, or a link, which is not followed.
func (f Folder) Write(name string, text []byte, perm fs.FileMode) error {
	p, err := f.Create(name, perm)
	if err != nil {
		return err
	}
	defer p.Discard()
	if _, err := io.Copy(p, bytes.NewReader(text)); err != nil {
		return err
	}
	return p.Commit()
}

// WriteFile writes the file at path, which may be anywhere, as Folder.Write does.
func WriteFile(path string, text []byte, perm fs.FileMode) error {
	return At(filepath.Dir(path)).Write(filepath.Base(path), text, perm)
}

// Pending is a file that is written beside its place until Commit puts it there.
type Pending struct {
	root       *os.Root
	file       *os.File
	temp, name string // from root
	path       string
	perm       fs.FileMode
	ended      bool
}

// Create starts a file. The caller calls Discard in the end, also after Commit.
func (f Folder) Create(name string, perm fs.FileMode) (*Pending, error) {
	p := &Pending{name: filepath.Join(f.sub, name), path: f.Path(name), perm: perm}
	p.temp = filepath.Join(filepath.Dir(p.name), TempPrefix(filepath.Base(name))+rand.Text()[:10])
	root, err := os.OpenRoot(f.top)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", p.path, err)
	}
	p.root = root
	if p.file, err = root.OpenFile(p.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, fmt.Errorf("write %s: %w", p.path, errors.Join(f.explain(name, err), root.Close()))
	}
	return p, nil
}

// TempPrefix is how the name of a file begins while it is written: what a process that was killed has left.
func TempPrefix(name string) string { return "." + name + "." }

// Write appends to the file.
func (p *Pending) Write(text []byte) (int, error) {
	n, err := p.file.Write(text)
	if err != nil {
		err = fmt.Errorf("write %s: %w", p.path, err)
	}
	return n, err
}

// Commit brings the file to the disk and gives it its name. A crash leaves the old file or the new one.
func (p *Pending) Commit() error {
	var err error
	if p.perm != 0o600 {
		err = p.file.Chmod(p.perm)
	}
	err = errors.Join(err, p.file.Sync(), p.file.Close())
	if err == nil {
		err = replace(p.root, p.temp, p.name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", p.path, err)
	}
	p.ended = true
	return p.root.Close()
}

// Discard removes the file unless Commit has put it in its place.
func (p *Pending) Discard() {
	if p.ended {
		return
	}
	p.ended = true
	_ = p.file.Close() // Commit may have closed it
	_ = p.root.Remove(p.temp)
	_ = p.root.Close()
}
