package vfs

import (
	"io/fs"
	"os"
	"strings"
	"time"
)

// Stat describes what path leads to.
func (f *FS) Stat(c Cred, path string) (*Info, error) { return f.stat(c, "stat", path, true) }

// Lstat is Stat, but describes a symbolic link itself.
func (f *FS) Lstat(c Cred, path string) (*Info, error) { return f.stat(c, "lstat", path, false) }

func (f *FS) stat(c Cred, op, path string, follow bool) (*Info, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	s, err := f.walk(c, op, path, follow)
	if err != nil {
		return nil, err
	}
	if s.at == 0 {
		return nil, failed(op, path, ENOENT)
	}
	name := s.name
	if name == "" {
		name = "/"
	}
	return s.node.info(name, s.at), nil
}

// Resolve returns the path without symbolic links; the last element need not exist.
func (f *FS) Resolve(c Cred, path string) (string, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	s, err := f.walk(c, "realpath", path, true)
	return s.path, err
}

// Access fails unless the file is there and may be used: 4 read, 2 write, 1 execute, 0 only to be there.
func (f *FS) Access(c Cred, path string, want uint32) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	s, err := f.walk(c, "access", path, true)
	if err != nil {
		return err
	}
	if s.at == 0 {
		return failed("access", path, ENOENT)
	}
	if !may(c, s.node, want) {
		return failed("access", path, EACCES)
	}
	return nil
}

// Program finds the first of the directories that has an executable file of that name. The directories are absolute.
func (f *FS) Program(c Cred, dirs []string, name string) (string, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, dir := range dirs {
		d, e := (&walker{f: f, c: c}).walk(dir, true)
		if e != "" || d.node == nil || !d.node.isDir() || d.node.virtual {
			continue
		}
		at, ok := d.node.find(name)
		if !ok {
			continue
		}
		n := f.inode(at)
		if n.isSymlink() {
			s, e := (&walker{f: f, c: c}).walk(dir+"/"+name, true)
			if e != "" || s.at == 0 {
				continue
			}
			n = s.node
		}
		if n.isRegular() && may(c, d.node, 1) && may(c, n, 1) {
			return dir + "/" + name, true
		}
	}
	return "", false
}

// ReadDir lists a directory in the order of names.
func (f *FS) ReadDir(c Cred, path string) ([]*Info, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	s, err := f.walk(c, "open", path, true)
	if err != nil {
		return nil, err
	}
	switch {
	case s.at == 0:
		return nil, failed("open", path, ENOENT)
	case !s.node.isDir():
		return nil, failed("open", path, ENOTDIR)
	case !may(c, s.node, 4):
		return nil, failed("open", path, EACCES)
	}
	if s.node.virtual || s.at == virtualIno {
		return f.readVirtualDir(s.path), nil
	}
	infos := make([]*Info, 0, len(s.node.entries))
	for _, e := range s.node.entries {
		infos = append(infos, f.inode(e.ino).info(e.name, e.ino))
	}
	return infos, nil
}

func (f *FS) readVirtualDir(path string) []*Info {
	dir, ok := f.virtualFile(path)
	if !ok || dir.Names == nil {
		return nil
	}
	var infos []*Info
	for _, name := range dir.Names() {
		if file, ok := f.virtualFile(path + "/" + name); ok {
			infos = append(infos, (&inode{mode: file.Mode, mtime: f.now().UnixNano(), links: 1}).info(name, virtualIno))
		}
	}
	return infos
}

// parent finds where a new name goes and checks that c may write there.
func (f *FS) parent(c Cred, op, path string) (spot, error) {
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

// Readlink returns where a symbolic link points.
func (f *FS) Readlink(c Cred, path string) (string, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	s, err := f.walk(c, "readlink", path, false)
	if err != nil {
		return "", err
	}
	if s.at == 0 {
		return "", failed("readlink", path, ENOENT)
	}
	if !s.node.isSymlink() {
		return "", failed("readlink", path, EINVAL)
	}
	return s.node.target, nil
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

func (f *FS) change(c Cred, op, path string, follow bool, do func(*inode)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.walk(c, op, path, follow)
	if err != nil {
		return err
	}
	if s.at == 0 {
		return failed(op, path, ENOENT)
	}
	if s.at == virtualIno || c.UID != 0 && c.UID != s.node.uid {
		return failed(op, path, EPERM)
	}
	do(f.write(s.at))
	return nil
}

// Chmod sets permission, setuid, setgid and sticky bits.
func (f *FS) Chmod(c Cred, path string, mode fs.FileMode) error {
	const bits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	return f.change(c, "chmod", path, true, func(n *inode) { n.mode = n.mode&^bits | mode&bits })
}

// Chown sets the owner; -1 leaves one as it is. Only root may.
func (f *FS) Chown(c Cred, path string, uid, gid int, follow bool) error {
	if c.UID != 0 {
		info, err := f.Lstat(c, path)
		if err != nil {
			return err
		}
		if uid >= 0 && uint32(uid) != info.UID || gid >= 0 && !c.in(uint32(gid)) {
			return failed("chown", path, EPERM)
		}
	}
	return f.change(c, "chown", path, follow, func(n *inode) {
		if uid >= 0 {
			n.uid = uint32(uid)
		}
		if gid >= 0 {
			n.gid = uint32(gid)
		}
	})
}

// Chtimes sets when the file was last changed.
func (f *FS) Chtimes(c Cred, path string, mtime time.Time) error {
	return f.change(c, "utime", path, true, func(n *inode) { n.mtime = mtime.UnixNano() })
}
