// Package vfs is the filesystem of a simulated node: in memory, copy-on-write over an image that all nodes share,
// with owners, modes, symbolic and hard links, a limited disk, tmpfs directories that a reboot empties, and virtual
// directories such as /proc whose files are made when they are read.
//
// Taking an image is cheap whatever the disk holds, and equal file contents are stored once per process.
package vfs

import (
	"io/fs"
	"maps"
	"path"
	"strings"
	"sync"
	"time"
)

// Cred is who asks. Root (UID 0) may do everything.
type Cred struct {
	UID, GID uint32
	Groups   []uint32
	Umask    fs.FileMode // bits that new files do not get
}

// Root is the super-user with the usual umask.
func Root() Cred { return Cred{Umask: 0o022} }

// Virtual makes the files of a virtual directory when they are asked for. Paths are relative and clean; the directory
// itself is ".".
type Virtual interface {
	Lookup(path string) (VirtualFile, bool)
}

// VirtualFile is one file or directory of a Virtual.
type VirtualFile struct {
	Mode   fs.FileMode            // with fs.ModeDir or fs.ModeSymlink
	Read   func() string          // content
	Write  func(text string) bool // called once per write; nil: not writable; false: invalid argument
	Names  func() []string        // of a directory
	Target string                 // of a symbolic link
}

// FS is one node's filesystem. All methods may be called side by side; paths are absolute.
type FS struct {
	mu       sync.RWMutex
	base     map[ino]*inode // shared with other nodes, never changed
	over     map[ino]*inode // what this node changed; nil entries are deleted
	own      *owner
	next     ino
	used     int64 // bytes on disk, tmpfs excluded
	capacity int64 // 0: no limit
	virtual  map[string]Virtual
	now      func() time.Time
}

// Image is a filesystem at one moment. It never changes and can be shared by any number of filesystems.
type Image struct {
	base map[ino]*inode
	over map[ino]*inode
	next ino
	used int64
}

// New returns an empty filesystem with a root directory. now gives the time stamps.
func New(now func() time.Time) *FS {
	own := &owner{}
	root := &inode{owner: own, mode: fs.ModeDir | 0o755, links: 2, mtime: now().UnixNano()}
	return &FS{over: map[ino]*inode{rootIno: root}, own: own, next: rootIno + 1, now: now}
}

// Open returns a filesystem that starts as the image. now gives the time stamps.
func (img *Image) Open(now func() time.Time) *FS {
	return &FS{base: img.base, over: maps.Clone(img.over), own: &owner{}, next: img.next, used: img.used, now: now}
}

// Image returns the filesystem as it is now, without what is on tmpfs.
func (f *FS) Image() *Image {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.emptyTmpfs()
	for _, n := range f.over {
		if n != nil {
			n.seal()
		}
	}
	f.own = &owner{}
	return &Image{base: f.base, over: maps.Clone(f.over), next: f.next, used: f.used}
}

// Flatten returns the image as one layer, to be the base of many nodes.
func (f *FS) Flatten() *Image {
	img := f.Image()
	base := maps.Clone(img.base)
	if base == nil {
		base = map[ino]*inode{}
	}
	for i, n := range img.over {
		if n == nil {
			delete(base, i)
		} else {
			base[i] = n
		}
	}
	return &Image{base: base, over: map[ino]*inode{}, next: img.next, used: img.used}
}

// SetVirtual gives the virtual directory its files.
func (f *FS) SetVirtual(name string, v Virtual) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.virtual == nil {
		f.virtual = map[string]Virtual{}
	}
	f.virtual[name] = v
}

// SetCapacity limits the disk to so many bytes; 0 is no limit. Files that are there stay.
func (f *FS) SetCapacity(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.capacity = bytes
}

// Usage returns the bytes used on disk and the disk's size, 0 when it has no limit.
func (f *FS) Usage() (used, capacity int64) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.used, f.capacity
}

// Occupy counts bytes as used on disk without storing anything: what an operating system and its packages take.
// A negative number frees them. It fails with ENOSPC when the disk is too small.
func (f *FS) Occupy(bytes int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.grow(bytes) != "" {
		return failed("write", "/", ENOSPC)
	}
	return nil
}

func (f *FS) grow(bytes int64) Errno {
	if bytes > 0 && f.capacity > 0 && f.used+bytes > f.capacity {
		return ENOSPC
	}
	f.used += bytes
	return ""
}

// EmptyTmpfs removes everything below tmpfs directories, as a reboot does.
func (f *FS) EmptyTmpfs() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.emptyTmpfs()
}

func (f *FS) emptyTmpfs() {
	for i, n := range f.over {
		if n == nil || !n.volatile {
			continue
		}
		if !n.tmpfs {
			delete(f.over, i)
			continue
		}
		if len(n.entries) > 0 {
			f.write(i).entries = nil
		}
	}
}

func (f *FS) inode(i ino) *inode {
	if n, ok := f.over[i]; ok {
		return n
	}
	return f.base[i]
}

// write returns the inode for changing, a copy if it is shared.
func (f *FS) write(i ino) *inode {
	n := f.inode(i)
	if n == nil || n.owner == f.own {
		return n
	}
	c := *n
	c.owner = f.own
	c.entries = append(make([]entry, 0, len(n.entries)+1), n.entries...)
	if !c.isSealed && c.data != nil {
		c.data = append([]byte(nil), c.data...)
	}
	f.over[i] = &c
	return &c
}

// drop forgets an inode whose last link is gone.
func (f *FS) drop(i ino) {
	n := f.inode(i)
	if n == nil {
		return
	}
	if !n.volatile {
		f.used -= blocks(n.size)
	}
	if _, ok := f.base[i]; ok {
		f.over[i] = nil
	} else {
		delete(f.over, i)
	}
}

// Clean makes an absolute path of p, relative to dir.
func Clean(dir, p string) string {
	if !strings.HasPrefix(p, "/") {
		p = dir + "/" + p
	}
	return path.Clean(p)
}
