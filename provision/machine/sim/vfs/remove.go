package vfs

import (
	"io/fs"
	"os"
	"strings"
)

// Remove removes a file or an empty directory.
func (f *FS) Remove(c Cred, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.parent(c, "remove", path)
	if err != nil {
		return err
	}
	switch {
	case s.at == 0:
		return failed("remove", path, ENOENT)
	case s.node.isDir() && len(s.node.entries) > 0:
		return failed("remove", path, ENOTEMPTY)
	case s.node.tmpfs || s.node.virtual:
		return failed("remove", path, EBUSY)
	case !f.maySticky(c, s):
		return failed("remove", path, EPERM)
	}
	f.unlink(s)
	return nil
}

// maySticky is the rule of /tmp: only the owner of a file or of the directory removes it.
func (f *FS) maySticky(c Cred, s spot) bool {
	dir := f.inode(s.dir)
	return c.UID == 0 || dir.mode&fs.ModeSticky == 0 || dir.uid == c.UID || s.node.uid == c.UID
}

func (f *FS) unlink(s spot) {
	dir := f.write(s.dir)
	dir.unset(s.name)
	dir.mtime = f.now().UnixNano()
	if s.node.isDir() || s.node.links <= 1 {
		f.drop(s.at)
		return
	}
	f.write(s.at).links--
}

// RemoveAll removes a file or a directory with all in it; nil if there is nothing.
func (f *FS) RemoveAll(c Cred, path string) error {
	info, err := f.Lstat(c, path)
	if err != nil {
		if os.IsNotExist(err) || isErrno(err, ENOENT) {
			return nil
		}
		return err
	}
	if info.IsDir() {
		children, err := f.ReadDir(c, path)
		if err != nil {
			return err
		}
		for _, child := range children {
			if err := f.RemoveAll(c, Clean(path, child.Name())); err != nil {
				return err
			}
		}
	}
	return f.Remove(c, path)
}

// Rename moves a file or directory and replaces what is at the new path, in one step.
func (f *FS) Rename(c Cred, old, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	from, err := f.parent(c, "rename", old)
	if err != nil {
		return err
	}
	to, err := f.parent(c, "rename", path)
	if err != nil {
		return err
	}
	switch {
	case from.at == 0:
		return failed("rename", old, ENOENT)
	case from.at == to.at:
		return nil
	case from.node.volatile != f.inode(to.dir).volatile:
		return failed("rename", path, EXDEV)
	case from.node.tmpfs || from.node.virtual:
		return failed("rename", old, EBUSY)
	case !f.maySticky(c, from), to.at != 0 && !f.maySticky(c, to):
		return failed("rename", path, EPERM)
	case from.node.isDir() && strings.HasPrefix(to.path+"/", from.path+"/"):
		return failed("rename", path, EINVAL)
	}
	if to.at != 0 {
		switch {
		case to.node.isDir() && !from.node.isDir():
			return failed("rename", path, EISDIR)
		case !to.node.isDir() && from.node.isDir():
			return failed("rename", path, ENOTDIR)
		case to.node.isDir() && len(to.node.entries) > 0:
			return failed("rename", path, ENOTEMPTY)
		}
		f.unlink(to)
	}
	f.write(from.dir).unset(from.name)
	f.write(to.dir).set(to.name, from.at)
	now := f.now().UnixNano()
	f.write(from.dir).mtime = now
	f.write(to.dir).mtime = now
	return nil
}
