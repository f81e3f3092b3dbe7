package vfs

import (
	"io/fs"
	"slices"
	"strings"
	"time"
	"unique"
)

// ino numbers the inodes of a filesystem; the root is 1.
type ino uint64

const rootIno ino = 1

// owner marks the inodes that one filesystem may change in place. Taking an image gives the filesystem a new owner, so
// that everything it had before is copied before it is written.
type owner struct{ _ byte }

// inode is a file, directory, symbolic link or device. Once its owner is not the filesystem's own, it never changes.
type inode struct {
	owner    *owner
	mode     fs.FileMode // type, permission and setuid bits
	uid, gid uint32
	mtime    int64 // Unix nanoseconds
	links    int32
	volatile bool // on a tmpfs: gone after a reboot
	tmpfs    bool // the root of a tmpfs
	size     int64
	sealed   unique.Handle[string] // content while nobody writes; equal contents of all nodes are stored once
	isSealed bool
	data     []byte  // content while somebody writes; beyond it, up to size, the file is zeros
	target   string  // of a symbolic link; of a virtual directory its provider's name
	entries  []entry // of a directory, sorted by name
	virtual  bool
}

type entry struct {
	name string
	ino  ino
}

const typeBits = fs.ModeType

func (n *inode) isDir() bool     { return n.mode&fs.ModeDir != 0 }
func (n *inode) isSymlink() bool { return n.mode&fs.ModeSymlink != 0 }
func (n *inode) isRegular() bool { return n.mode&typeBits == 0 }

func (n *inode) find(name string) (ino, bool) {
	i, ok := slices.BinarySearchFunc(n.entries, name, func(e entry, name string) int { return strings.Compare(e.name, name) })
	if !ok {
		return 0, false
	}
	return n.entries[i].ino, true
}

// set adds or replaces an entry; the inode must be writable.
func (n *inode) set(name string, to ino) {
	i, ok := slices.BinarySearchFunc(n.entries, name, func(e entry, name string) int { return strings.Compare(e.name, name) })
	if ok {
		n.entries[i].ino = to
		return
	}
	n.entries = slices.Insert(n.entries, i, entry{name, to})
}

func (n *inode) unset(name string) {
	i, ok := slices.BinarySearchFunc(n.entries, name, func(e entry, name string) int { return strings.Compare(e.name, name) })
	if ok {
		n.entries = slices.Delete(n.entries, i, i+1)
	}
}

// readAt copies content from off on; it returns 0 at the end of the file.
func (n *inode) readAt(b []byte, off int64) int {
	if off >= n.size {
		return 0
	}
	if rest := n.size - off; int64(len(b)) > rest {
		b = b[:rest]
	}
	done := 0
	if n.isSealed {
		if s := n.sealed.Value(); off < int64(len(s)) {
			done = copy(b, s[off:])
		}
	} else if off < int64(len(n.data)) {
		done = copy(b, n.data[off:])
	}
	clear(b[done:])
	return len(b)
}

// unseal makes data the content, free to be changed.
func (n *inode) unseal() {
	if n.isSealed {
		n.data = []byte(n.sealed.Value())
		n.sealed = unique.Handle[string]{}
		n.isSealed = false
	}
}

// seal stores the content once for all nodes that have the same.
func (n *inode) seal() {
	if n.isSealed || len(n.data) == 0 {
		return
	}
	n.sealed = unique.Make(string(n.data))
	n.isSealed = true
	n.data = nil
}

func (n *inode) text() string {
	if n.isSealed && int64(len(n.sealed.Value())) == n.size {
		return n.sealed.Value()
	}
	b := make([]byte, n.size)
	n.readAt(b, 0)
	return string(b)
}

const blockSize = 4096

// blocks is the room that size bytes take on disk.
func blocks(size int64) int64 { return (size + blockSize - 1) / blockSize * blockSize }

// Info describes a file; it implements fs.FileInfo, and Sys returns itself.
type Info struct {
	name     string
	Ino      uint64
	mode     fs.FileMode
	UID, GID uint32
	size     int64
	mtime    int64
	Links    int
	Tmpfs    bool // stored in memory, gone after a reboot
}

// Name is the last element of the path.
func (i *Info) Name() string { return i.name }

// Size is the length in bytes.
func (i *Info) Size() int64 { return i.size }

// Mode has type, permission and setuid bits.
func (i *Info) Mode() fs.FileMode { return i.mode }

// ModTime is when the content last changed.
func (i *Info) ModTime() time.Time { return time.Unix(0, i.mtime) }

// IsDir reports whether it is a directory.
func (i *Info) IsDir() bool { return i.mode.IsDir() }

// Sys returns the Info itself.
func (i *Info) Sys() any { return i }

func (n *inode) info(name string, at ino) *Info {
	size := n.size
	switch {
	case n.isDir():
		size = blockSize
	case n.isSymlink():
		size = int64(len(n.target))
	}
	return &Info{
		name: name, Ino: uint64(at), mode: n.mode, UID: n.uid, GID: n.gid, size: size, mtime: n.mtime,
		Links: int(n.links), Tmpfs: n.volatile,
	}
}
