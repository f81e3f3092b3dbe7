package folder

import (
	"io/fs"
	"path/filepath"
)

// FS is the folder as a file system, for code that walks it. A file of more than limit bytes cannot be read by
// fs.ReadFile.
func (f Folder) FS(limit int64) fs.FS { return files{folder: f, limit: limit} }

type files struct {
	folder Folder
	limit  int64
}

var (
	_ fs.StatFS     = files{}
	_ fs.ReadFileFS = files{}
)

// Open opens a file or folder.
func (f files) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	file, err := f.folder.open(filepath.FromSlash(name), 0, 0, func(mode fs.FileMode) bool { return mode.IsRegular() || mode.IsDir() })
	if err != nil {
		return nil, err // not file, which would be an fs.File that is not nil
	}
	return file, nil
}

// Stat tells of a file or folder without opening it.
func (f files) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	return f.folder.Stat(filepath.FromSlash(name))
}

// ReadFile reads a file.
func (f files) ReadFile(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return f.folder.Read(filepath.FromSlash(name), f.limit)
}
