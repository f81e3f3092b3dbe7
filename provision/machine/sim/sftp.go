package sim

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/pkg/sftp"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/vfs"
)

// serveSFTP serves a session's channel until the client ends it.
func serveSFTP(s *session) {
	m := s.server.kernel.Machine
	h := &sftpFiles{fs: m.FS, cred: m.CredOf(s.user), machine: m}
	srv := sftp.NewRequestServer(s.ch, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h}, sftp.WithStartDirectory(s.user.Home))
	srv.Serve()                                                //nolint:errcheck // the client has gone, orderly or not
	s.ch.SendRequest("exit-status", false, []byte{0, 0, 0, 0}) //nolint:errcheck
	s.ch.Close()
}

// sftpFiles is a node's filesystem with the rights of a user.
type sftpFiles struct {
	fs      *vfs.FS
	cred    vfs.Cred
	machine *guest.Machine
}

// status turns errors into those that SFTP knows.
func sftpError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return sftp.ErrSSHFxNoSuchFile
	case errors.Is(err, fs.ErrPermission):
		return sftp.ErrSSHFxPermissionDenied
	}
	var e vfs.Errno
	if errors.As(err, &e) {
		return errors.New(e.Error())
	}
	return err
}

// Fileread opens a file for reading.
func (h *sftpFiles) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	f, err := h.fs.Open(h.cred, r.Filepath, os.O_RDONLY, 0)
	if err == nil && f.Stat().IsDir() {
		err = vfs.EISDIR
	}
	return f, sftpError(err)
}

// Filewrite opens a file for writing.
func (h *sftpFiles) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	f, err := h.open(r)
	return f, sftpError(err)
}

// OpenFile opens a file for both.
func (h *sftpFiles) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) {
	f, err := h.open(r)
	return f, sftpError(err)
}

func (h *sftpFiles) open(r *sftp.Request) (*vfs.File, error) {
	p := r.Pflags()
	flag := os.O_WRONLY
	if p.Read {
		flag = os.O_RDWR
	}
	if p.Creat {
		flag |= os.O_CREATE
	}
	if p.Excl {
		flag |= os.O_EXCL
	}
	if p.Trunc {
		flag |= os.O_TRUNC
	}
	perm := fs.FileMode(0o666)
	if r.AttrFlags().Permissions {
		perm = r.Attributes().FileMode().Perm()
	}
	return h.fs.Open(h.cred, r.Filepath, flag, perm)
}

// Filecmd carries out everything that is not reading, writing or listing.
func (h *sftpFiles) Filecmd(r *sftp.Request) error { return sftpError(h.command(r)) }

func (h *sftpFiles) command(r *sftp.Request) error {
	switch r.Method {
	case "Setstat":
		return h.setstat(r)
	case "Rename":
		if _, err := h.fs.Lstat(h.cred, r.Target); err == nil {
			return vfs.EEXIST
		}
		return h.fs.Rename(h.cred, r.Filepath, r.Target)
	case "Rmdir", "Remove":
		info, err := h.fs.Lstat(h.cred, r.Filepath)
		if err != nil {
			return err
		}
		if info.IsDir() != (r.Method == "Rmdir") {
			return vfs.ENOTDIR
		}
		return h.fs.Remove(h.cred, r.Filepath)
	case "Mkdir":
		return h.fs.Mkdir(h.cred, r.Filepath, 0o777)
	case "Symlink":
		return h.fs.Symlink(h.cred, r.Filepath, r.Target)
	case "Link":
		return h.fs.Link(h.cred, r.Filepath, r.Target)
	}
	return sftp.ErrSSHFxOpUnsupported
}

func (h *sftpFiles) setstat(r *sftp.Request) error {
	flags, attr := r.AttrFlags(), r.Attributes()
	if flags.Size {
		f, err := h.fs.Open(h.cred, r.Filepath, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		err = f.Truncate(int64(attr.Size))
		f.Close()
		if err != nil {
			return err
		}
	}
	if flags.Permissions {
		if err := h.fs.Chmod(h.cred, r.Filepath, attr.FileMode()); err != nil {
			return err
		}
	}
	if flags.UidGid {
		if err := h.fs.Chown(h.cred, r.Filepath, int(attr.UID), int(attr.GID), true); err != nil {
			return err
		}
	}
	if flags.Acmodtime {
		return h.fs.Chtimes(h.cred, r.Filepath, attr.ModTime())
	}
	return nil
}

// PosixRename replaces what is at the target.
func (h *sftpFiles) PosixRename(r *sftp.Request) error {
	return sftpError(h.fs.Rename(h.cred, r.Filepath, r.Target))
}

// StatVFS tells how much room there is.
func (h *sftpFiles) StatVFS(*sftp.Request) (*sftp.StatVFS, error) {
	used, size := h.fs.Usage()
	size = max(size, 2*used)
	free := uint64(size-used) / 4096
	return &sftp.StatVFS{Bsize: 4096, Frsize: 4096, Blocks: uint64(size) / 4096, Bfree: free, Bavail: free, Namemax: 255}, nil
}

// Filelist lists, describes and reads links.
func (h *sftpFiles) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	switch r.Method {
	case "List":
		infos, err := h.fs.ReadDir(h.cred, r.Filepath)
		if err != nil {
			return nil, sftpError(err)
		}
		list := make(sftpList, len(infos))
		for i, info := range infos {
			list[i] = sftpInfo{info}
		}
		return list, nil
	case "Stat":
		info, err := h.fs.Stat(h.cred, r.Filepath)
		if err != nil {
			return nil, sftpError(err)
		}
		return sftpList{sftpInfo{info}}, nil
	}
	return nil, sftp.ErrSSHFxOpUnsupported
}

// Lstat describes a link itself.
func (h *sftpFiles) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	info, err := h.fs.Lstat(h.cred, r.Filepath)
	if err != nil {
		return nil, sftpError(err)
	}
	return sftpList{sftpInfo{info}}, nil
}

// Readlink reads a link.
func (h *sftpFiles) Readlink(path string) (string, error) {
	to, err := h.fs.Readlink(h.cred, path)
	return to, sftpError(err)
}

// RealPath makes a path absolute and removes its links.
func (h *sftpFiles) RealPath(path string) (string, error) {
	to, err := h.fs.Resolve(h.cred, vfs.Clean("/", path))
	if err != nil {
		return vfs.Clean("/", path), nil
	}
	return to, nil
}

// LookupUserName names owners in listings.
func (h *sftpFiles) LookupUserName(uid string) string {
	if u, ok := h.machine.FindUser(uid); ok {
		return u.Name
	}
	return uid
}

// LookupGroupName names groups in listings.
func (h *sftpFiles) LookupGroupName(gid string) string {
	if g, ok := h.machine.FindGroup(gid); ok {
		return g.Name
	}
	return gid
}

// sftpInfo gives owner and group to the server.
type sftpInfo struct{ *vfs.Info }

// Uid is the owner.
func (i sftpInfo) Uid() uint32 { return i.UID } //nolint:staticcheck // the name that package sftp asks for

// Gid is the group.
func (i sftpInfo) Gid() uint32 { return i.GID } //nolint:staticcheck

type sftpList []os.FileInfo

// ListAt copies entries from an offset.
func (l sftpList) ListAt(out []os.FileInfo, off int64) (int, error) {
	if off >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(out, l[off:])
	if n < len(out) {
		return n, io.EOF
	}
	return n, nil
}
