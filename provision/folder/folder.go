// Package folder opens files that somebody else may have made: those of a lab, and those below .podium. A lab may come
// from anywhere, so
//
//   - a file is opened inside its folder only: no symbolic link leads out of it;
//   - it is a regular file: a named pipe would block podium, a device would fill its memory;
//   - no more of it is read than its reader allows, whatever size the file system tells;
//   - a file is written whole or not at all.
package folder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

var (
	// ErrOutside is a path that leads out of its folder.
	ErrOutside = errors.New("leads out of its folder")
	// ErrNotRegular is a pipe, socket, device or folder where a file was expected.
	ErrNotRegular = errors.New("is not a regular file")
	// ErrTooLarge is a file with more bytes than its reader allows.
	ErrTooLarge = errors.New("is too large")
)

// Folder is a folder whose files are opened inside it only. The zero value is of no use: call At.
type Folder struct {
	top string // no symbolic link leads out of it
	sub string // the folder itself, from top
}

// At is the folder at path. A link to the folder itself is followed, as the caller has named it.
func At(path string) Folder { return Folder{top: path, sub: "."} }

// Sub is a folder inside f. Unlike the one given to At it is not followed when it is a link that leads out of f.
func (f Folder) Sub(names ...string) Folder {
	return Folder{top: f.top, sub: filepath.Join(append([]string{f.sub}, names...)...)}
}

// Path is where a name lies, for messages and other programs.
func (f Folder) Path(names ...string) string {
	return filepath.Join(append([]string{f.top, f.sub}, names...)...)
}

// Read reads a file of at most limit bytes.
func (f Folder) Read(name string, limit int64) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAll(file, limit)
}

// Open opens a file for reading.
func (f Folder) Open(name string) (*os.File, error) { return f.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile opens a file by the flags of os.OpenFile.
func (f Folder) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return f.open(name, flag, perm, fs.FileMode.IsRegular)
}

// open opens what has a mode that fits.
func (f Folder) open(name string, flag int, perm fs.FileMode, fits func(fs.FileMode) bool) (file *os.File, err error) {
	err = f.inside(name, func(root *os.Root, name string) error {
		file, err = root.OpenFile(name, flag|noBlock, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	return checked(file, fits)
}

// Stat tells of a file or folder. A link is followed inside the folder.
func (f Folder) Stat(name string) (info fs.FileInfo, err error) {
	err = f.inside(name, func(root *os.Root, name string) error {
		info, err = root.Stat(name)
		return err
	})
	return info, err
}

// Exists reports whether there is something of that name that can be reached.
func (f Folder) Exists(name string) bool {
	_, err := f.Stat(name)
	return err == nil
}

// ReadDir lists a folder, sorted by name.
func (f Folder) ReadDir(name string) ([]fs.DirEntry, error) {
	return fs.ReadDir(f.FS(0), filepath.ToSlash(filepath.Clean(name)))
}

// MkdirAll makes a folder and those above it, for its owner only, as keys and secrets are kept in it.
func (f Folder) MkdirAll(name string) error {
	if err := os.MkdirAll(f.top, 0o700); err != nil {
		return err
	}
	return f.inside(name, func(root *os.Root, name string) error { return root.MkdirAll(name, 0o700) })
}

// Remove deletes a file, a link or an empty folder; nil if it is not there.
func (f Folder) Remove(name string) error {
	err := f.inside(name, (*os.Root).Remove)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// RemoveAll deletes a name with all that is below it; nil if it is not there.
func (f Folder) RemoveAll(name string) error {
	err := f.inside(name, removeAll)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Rename gives a file another name, in place of the file that has it.
func (f Folder) Rename(from, to string) error {
	return f.inside(from, func(root *os.Root, from string) error {
		return replace(root, from, filepath.Join(f.sub, to))
	})
}

// inside calls do with the folder's root, which nothing done with it leaves, and the name from there.
func (f Folder) inside(name string, do func(root *os.Root, name string) error) error {
	root, err := os.OpenRoot(f.top)
	if err != nil {
		return err
	}
	defer root.Close()
	return f.explain(name, do(root, filepath.Join(f.sub, name)))
}

// explain names the whole path, and puts into words that a link leads out.
func (f Folder) explain(name string, err error) error {
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return err
	}
	if strings.Contains(path.Err.Error(), "escapes from parent") { // os does not export this error
		return fmt.Errorf("%s: %w %s: put a file in place of the symbolic link, or delete it", f.Path(name), ErrOutside, f.top)
	}
	return &fs.PathError{Op: strings.TrimSuffix(path.Op, "at"), Path: f.Path(name), Err: path.Err}
}

// ReadFile reads the file at path, which may be anywhere, as Folder.Read does.
func ReadFile(path string, limit int64) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAll(file, limit)
}

// Open opens the file at path, which may be anywhere, for reading.
func Open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|noBlock, 0)
	if err != nil {
		return nil, err
	}
	return checked(file, fs.FileMode.IsRegular)
}

// checked gives an open file back if its mode fits. The mode is asked of the open file, as another may have taken its
// name meanwhile.
func checked(file *os.File, fits func(fs.FileMode) bool) (*os.File, error) {
	info, err := file.Stat()
	if err == nil && !fits(info.Mode()) {
		err = fmt.Errorf("%s: %w: it is a %s", file.Name(), ErrNotRegular, kind(info.Mode()))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "folder"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// readAll reads no more than limit bytes: the size that Stat tells is 0 for some files that never end.
func readAll(file *os.File, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s: %w: more than %d bytes", file.Name(), ErrTooLarge, limit)
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}
