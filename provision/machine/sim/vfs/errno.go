package vfs

import "io/fs"

// Errno is why a call on the filesystem failed, worded as Linux words it.
type Errno string

// The errors that calls return, wrapped in *fs.PathError.
const (
	ENOENT    Errno = "No such file or directory"
	EEXIST    Errno = "File exists"
	ENOTDIR   Errno = "Not a directory"
	EISDIR    Errno = "Is a directory"
	ENOTEMPTY Errno = "Directory not empty"
	EACCES    Errno = "Permission denied"
	EPERM     Errno = "Operation not permitted"
	ENOSPC    Errno = "No space left on device"
	EXDEV     Errno = "Invalid cross-device link"
	ELOOP     Errno = "Too many levels of symbolic links"
	EROFS     Errno = "Read-only file system"
	EINVAL    Errno = "Invalid argument"
	EBADF     Errno = "Bad file descriptor"
	EBUSY     Errno = "Device or resource busy"
)

// Error is the text that strerror(3) gives.
func (e Errno) Error() string { return string(e) }

// Is lets errors.Is find the portable errors of io/fs.
func (e Errno) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e == ENOENT
	case fs.ErrExist:
		return e == EEXIST || e == ENOTEMPTY
	case fs.ErrPermission:
		return e == EACCES || e == EPERM
	}
	return false
}

func failed(op, path string, e Errno) error {
	return &fs.PathError{Op: op, Path: path, Err: e}
}
