package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
)

// File is an open file. It stays usable after its last name is gone.
type File struct {
	f      *FS
	path   string
	at     ino
	kept   *inode // what a deleted file or a virtual one holds
	flag   int
	virt   *VirtualFile
	mu     sync.Mutex
	off    int64
	closed bool
}

// Open opens a file as os.OpenFile does. Devices cannot be opened here.
func (f *FS) Open(c Cred, path string, flag int, perm fs.FileMode) (*File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, err := f.walk(c, "open", path, flag&(os.O_CREATE|os.O_EXCL) != os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	writing := flag&(os.O_WRONLY|os.O_RDWR) != 0
	switch {
	case s.at == 0 && flag&os.O_CREATE == 0:
		return nil, failed("open", path, ENOENT)
	case s.at == 0:
		if !may(c, f.inode(s.dir), 3) {
			return nil, failed("open", path, EACCES)
		}
		s.at = f.add(c, s, &inode{mode: perm &^ c.Umask & fs.ModePerm})
		return &File{f: f, path: s.path, at: s.at, flag: flag}, nil
	case flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return nil, failed("open", path, EEXIST)
	case s.node.isDir():
		if writing {
			return nil, failed("open", path, EISDIR)
		}
	case s.at == virtualIno:
		return f.openVirtual(c, s, flag)
	}
	var want uint32 = 4
	if writing {
		want = 2
		if flag&os.O_RDWR != 0 {
			want = 6
		}
	}
	if !may(c, s.node, want) {
		return nil, failed("open", path, EACCES)
	}
	if flag&os.O_TRUNC != 0 && writing && s.node.isRegular() {
		f.resize(s.at, 0)
	}
	return &File{f: f, path: s.path, at: s.at, flag: flag}, nil
}

func (f *FS) openVirtual(c Cred, s spot, flag int) (*File, error) {
	file, _ := f.virtualFile(s.path)
	writing := flag&(os.O_WRONLY|os.O_RDWR) != 0
	if writing && (file.Write == nil || c.UID != 0) {
		return nil, failed("open", s.path, EACCES)
	}
	s.node.size = int64(len(s.node.data))
	return &File{f: f, path: s.path, at: virtualIno, kept: s.node, flag: flag, virt: &file}, nil
}

func (f *FS) resize(at ino, size int64) Errno {
	n := f.inode(at)
	if n == nil {
		return EBADF
	}
	if !n.volatile {
		if e := f.grow(blocks(size) - blocks(n.size)); e != "" {
			return e
		}
	}
	n = f.write(at)
	n.unseal()
	if size < int64(len(n.data)) {
		n.data = n.data[:size:size]
	}
	n.size = size
	n.mtime = f.now().UnixNano()
	return ""
}

func (h *File) node() *inode {
	if n := h.f.inode(h.at); n != nil && h.kept == nil {
		return n
	}
	if h.kept == nil {
		h.kept = &inode{}
	}
	return h.kept
}

// Path is the path the file was opened by, without symbolic links.
func (h *File) Path() string { return h.path }

// Ino numbers the file within its filesystem, for locks.
func (h *File) Ino() uint64 { return uint64(h.at) }

// Read reads from where the last call stopped; io.EOF at the end.
func (h *File) Read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, err := h.ReadAt(b, h.off)
	h.off += int64(n)
	if errors.Is(err, io.EOF) && n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt reads at an offset; io.EOF when less than b is there.
func (h *File) ReadAt(b []byte, off int64) (int, error) {
	if h.flag&os.O_WRONLY != 0 {
		return 0, failed("read", h.path, EBADF)
	}
	h.f.mu.RLock()
	defer h.f.mu.RUnlock()
	node := h.node()
	if node.isDir() {
		return 0, failed("read", h.path, EISDIR)
	}
	n := node.readAt(b, off)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Write writes where the last call stopped, or at the end with os.O_APPEND.
func (h *File) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.virt != nil {
		if h.virt.Write == nil || !h.virt.Write(string(b)) {
			return 0, failed("write", h.path, EINVAL)
		}
		return len(b), nil
	}
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	if h.flag&os.O_APPEND != 0 { // within one lock: others append to the same file
		h.off = h.node().size
	}
	n, err := h.writeAt(b, h.off)
	h.off += int64(n)
	return n, err
}

// WriteAt writes at an offset; what lies between the end of the file and it is zeros.
func (h *File) WriteAt(b []byte, off int64) (int, error) {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	return h.writeAt(b, off)
}

// writeAt is WriteAt with the filesystem locked.
func (h *File) writeAt(b []byte, off int64) (int, error) {
	if h.flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return 0, failed("write", h.path, EBADF)
	}
	n := h.node()
	end := off + int64(len(b))
	if n == h.kept {
		return len(b), nil // a deleted file: nobody can read it any more
	}
	size := max(end, n.size)
	if !n.volatile {
		if e := h.f.grow(blocks(size) - blocks(n.size)); e != "" {
			return 0, failed("write", h.path, e)
		}
	}
	n = h.f.write(h.at)
	n.unseal()
	n.mtime = h.f.now().UnixNano()
	n.size = size
	if zeros(b) && end > int64(len(n.data)) {
		if off < int64(len(n.data)) {
			n.data = n.data[:off]
		}
		return len(b), nil // a hole
	}
	if gap := end - int64(len(n.data)); gap > 0 {
		n.data = append(n.data, make([]byte, gap)...)
	}
	copy(n.data[off:], b)
	return len(b), nil
}

// zeros tells a long run of zeros, which is kept as a hole, so that a test can fill a disk.
func zeros(b []byte) bool {
	if len(b) < blockSize {
		return false
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// Truncate sets the length.
func (h *File) Truncate(size int64) error {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	if h.virt != nil {
		return nil
	}
	if e := h.f.resize(h.at, size); e != "" {
		return failed("truncate", h.path, e)
	}
	return nil
}

// SeekTo sets where the next Read or Write goes.
func (h *File) SeekTo(off int64) {
	h.mu.Lock()
	h.off = off
	h.mu.Unlock()
}

// Stat describes the file.
func (h *File) Stat() *Info {
	h.f.mu.RLock()
	defer h.f.mu.RUnlock()
	return h.node().info(h.path, h.at)
}

// Close ends writing; content is then stored once for all nodes that hold the same.
func (h *File) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return failed("close", h.path, EBADF)
	}
	h.closed = true
	if h.flag&(os.O_WRONLY|os.O_RDWR) == 0 || h.virt != nil {
		return nil
	}
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	if n := h.f.inode(h.at); n != nil && n.owner == h.f.own {
		n.seal()
	}
	return nil
}

// ReadFile returns a file's content.
func (f *FS) ReadFile(c Cred, path string) (string, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	s, err := f.walk(c, "open", path, true)
	switch {
	case err != nil:
		return "", err
	case s.at == 0:
		return "", failed("open", path, ENOENT)
	case s.node.isDir():
		return "", failed("read", path, EISDIR)
	case !may(c, s.node, 4):
		return "", failed("open", path, EACCES)
	case s.at == virtualIno:
		return string(s.node.data), nil
	}
	return s.node.text(), nil
}

// WriteFile makes or replaces a file.
func (f *FS) WriteFile(c Cred, path, text string, perm fs.FileMode) error {
	h, err := f.Open(c, path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = h.Write([]byte(text))
	return errors.Join(err, h.Close())
}

func isErrno(err error, e Errno) bool {
	var got Errno
	return errors.As(err, &got) && got == e
}
