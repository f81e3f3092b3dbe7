package remotetest

import (
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"

	"github.com/pkg/sftp"
)

// folder shows a folder of this machine by SFTP as if it were the root of a node.
type folder struct {
	root  string
	space *space
	list  func(string) sftp.ListerAt // see Options.List
}

// space is how full the node's disk is.
type space struct{ used, limit atomic.Int64 }

// take tells whether n more bytes fit.
func (s *space) take(n int) bool {
	limit := s.limit.Load()
	return limit == 0 || s.used.Add(int64(n)) <= limit
}

func (f *folder) local(name string) string {
	return filepath.Join(f.root, filepath.FromSlash(path.Clean("/"+name)))
}

// Fileread opens a file for reading.
func (f *folder) Fileread(r *sftp.Request) (io.ReaderAt, error) { return os.Open(f.local(r.Filepath)) }

// Filewrite opens a file for writing, made as the request's flags say.
func (f *folder) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	flags := r.Pflags()
	mode := os.O_WRONLY
	if flags.Read {
		mode = os.O_RDWR
	}
	if flags.Creat {
		mode |= os.O_CREATE
	}
	if flags.Excl {
		mode |= os.O_EXCL
	}
	if flags.Trunc {
		mode |= os.O_TRUNC
	}
	file, err := os.OpenFile(f.local(r.Filepath), mode, 0o644)
	if err != nil {
		return nil, err
	}
	return &limited{File: file, space: f.space}, nil
}

// limited is a file on a disk that can be full.
type limited struct {
	*os.File
	space *space
}

func (l *limited) WriteAt(p []byte, at int64) (int, error) {
	if !l.space.take(len(p)) {
		return 0, sftp.ErrSSHFxFailure // all that OpenSSH says of a full disk
	}
	return l.File.WriteAt(p, at)
}

// Filecmd changes names and attributes.
func (f *folder) Filecmd(r *sftp.Request) error {
	name := f.local(r.Filepath)
	switch r.Method {
	case "Setstat":
		if r.AttrFlags().Permissions {
			if err := os.Chmod(name, r.Attributes().FileMode()); err != nil {
				return err
			}
		}
		if r.AttrFlags().Size {
			return os.Truncate(name, int64(r.Attributes().Size))
		}
		return nil
	case "Rename":
		if _, err := os.Lstat(f.local(r.Target)); err == nil {
			return fs.ErrExist
		}
		return os.Rename(name, f.local(r.Target))
	case "Mkdir":
		return os.Mkdir(name, 0o755)
	case "Rmdir", "Remove":
		return os.Remove(name)
	case "Symlink":
		return os.Symlink(r.Filepath, f.local(r.Target)) // Filepath is what the link says, as the client gave it
	case "Link":
		return os.Link(name, f.local(r.Target))
	}
	return sftp.ErrSSHFxOpUnsupported
}

// PosixRename renames over what is there.
func (f *folder) PosixRename(r *sftp.Request) error {
	return os.Rename(f.local(r.Filepath), f.local(r.Target))
}

// StatVFS tells how much room is left.
func (f *folder) StatVFS(*sftp.Request) (*sftp.StatVFS, error) {
	const block = 4096
	free := uint64(1 << 40)
	if limit := f.space.limit.Load(); limit > 0 {
		free = uint64(max(0, limit-f.space.used.Load()))
	}
	return &sftp.StatVFS{Bsize: block, Frsize: block, Blocks: 1 << 30, Bfree: free / block, Bavail: free / block, Namemax: 255}, nil
}

// Filelist lists a folder or tells of one file.
func (f *folder) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	name := f.local(r.Filepath)
	if r.Method == "Stat" {
		info, err := os.Stat(name)
		return infos{info}, err
	}
	if f.list != nil {
		if l := f.list(r.Filepath); l != nil {
			return l, nil
		}
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	var list infos
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			list = append(list, info)
		}
	}
	return list, nil
}

// Lstat tells of a file without following a link.
func (f *folder) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	info, err := os.Lstat(f.local(r.Filepath))
	return infos{info}, err
}

// Readlink tells where a link leads.
func (f *folder) Readlink(name string) (string, error) { return os.Readlink(f.local(name)) }

type infos []os.FileInfo

// ListAt gives the entries from an offset on.
func (l infos) ListAt(to []os.FileInfo, from int64) (int, error) {
	if from >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[from:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}
