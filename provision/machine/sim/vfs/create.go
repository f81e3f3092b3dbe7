package vfs

import (
	"io/fs"
	"os"
	"strings"
)

// parent finds where a new name goes and checks that c may write there.
func (f *FS) parent(c Cred, op, path string) (spot, error) {
	if path != "" && strings.Trim(path, "/") == "" {
		return spot{}, failed(op, path, EBUSY)
	}
	s, err := f.walk(c, op, strings.TrimRight(path, "/"), false)
	if err != nil {
		return s, err
	}
	if s.name == "" { // the root
		return s, failed(op, path, EBUSY)
	}
	if s.at == virtualIno {
		return s, failed(op, path, EPERM)
	}
	if !may(c, f.inode(s.dir), 3) {
		return s, failed(op, path, EACCES)
	}
	return s, nil
}

// add links a new inode into the directory of s.
func (f *FS) add(c Cred, s spot, n *inode) ino {
	dir := f.write(s.dir)
	n.owner, n.uid, n.gid, n.mtime = f.own, c.UID, c.GID, f.now().UnixNano()
	if dir.mode&fs.ModeSetgid != 0 {
		n.gid = dir.gid
	}
	n.volatile = dir.volatile
	if n.links == 0 {
		n.links = 1
	}
	at := f.next
	f.next++
	f.over[at] = n
	dir.set(s.name, at)
	dir.mtime = n.mtime
	return at
}

// Mkdir makes a directory.
func (f *FS) Mkdir(c Cred, path string, perm fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.parent(c, "mkdir", path)
	if err != nil {
		return err
	}
	if s.at != 0 {
		return failed("mkdir", path, EEXIST)
	}
	f.add(c, s, &inode{mode: fs.ModeDir | perm&^c.Umask, links: 2})
	return nil
}

// MkdirAll makes a directory and what is missing above it.
func (f *FS) MkdirAll(c Cred, path string, perm fs.FileMode) error {
	if info, err := f.Stat(c, path); err == nil {
		if !info.IsDir() {
			return failed("mkdir", path, EEXIST)
		}
		return nil
	}
	path = Clean("/", path)
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		if err := f.MkdirAll(c, path[:i], perm); err != nil {
			return err
		}
	}
	if err := f.Mkdir(c, path, perm); err != nil && !os.IsExist(err) {
		if info, e := f.Stat(c, path); e != nil || !info.IsDir() {
			return err
		}
	}
	return nil
}

// MountTmpfs makes a directory whose content a reboot removes.
func (f *FS) MountTmpfs(path string, perm fs.FileMode) error {
	if err := f.MkdirAll(Root(), path, 0o755); err != nil {
		return err
	}
	return f.change(Root(), "mount", path, true, func(n *inode) { n.tmpfs, n.volatile, n.mode = true, true, fs.ModeDir|perm })
}

// MountVirtual makes a directory directly below the root whose files the Virtual of that name makes.
func (f *FS) MountVirtual(name string) error {
	if err := f.MkdirAll(Root(), "/"+name, 0o555); err != nil {
		return err
	}
	return f.change(Root(), "mount", "/"+name, true, func(n *inode) { n.virtual, n.target = true, name })
}

// Mknod makes a character device.
func (f *FS) Mknod(c Cred, path string, perm fs.FileMode) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.parent(c, "mknod", path)
	if err != nil {
		return err
	}
	if s.at != 0 {
		return failed("mknod", path, EEXIST)
	}
	f.add(c, s, &inode{mode: fs.ModeDevice | fs.ModeCharDevice | perm})
	return nil
}

// Symlink makes a symbolic link at path.
func (f *FS) Symlink(c Cred, target, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.parent(c, "symlink", path)
	if err != nil {
		return err
	}
	if s.at != 0 {
		return failed("symlink", path, EEXIST)
	}
	f.add(c, s, &inode{mode: fs.ModeSymlink | 0o777, target: target})
	return nil
}

// Link makes a second name for a file.
func (f *FS) Link(c Cred, old, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	from, err := f.walk(c, "link", old, false)
	if err != nil {
		return err
	}
	to, err := f.parent(c, "link", path)
	if err != nil {
		return err
	}
	switch {
	case from.at == 0:
		return failed("link", old, ENOENT)
	case to.at != 0:
		return failed("link", path, EEXIST)
	case from.node.isDir():
		return failed("link", old, EPERM)
	case from.node.volatile != f.inode(to.dir).volatile:
		return failed("link", path, EXDEV)
	}
	f.write(from.at).links++
	f.write(to.dir).set(to.name, from.at)
	return nil
}
