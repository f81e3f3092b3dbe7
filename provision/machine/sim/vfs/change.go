package vfs

import (
	"io/fs"
	"time"
)

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
