package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/pkg/sftp"
	"golang.org/x/sync/errgroup"
)

// TreeOptions say how a folder is copied.
type TreeOptions struct {
	Sudo     bool   // PutDir only: what is copied belongs to root
	Parallel int    // files at once; 0: 8
	LeaveOut string // name of folders that stay where they are, at any depth below the top; empty: none
	// Progress is told the bytes copied so far and those to copy in all. It may be called from many goroutines.
	Progress func(done, total int64)
}

const defaultParallel = 8

// entry is one name of a tree; rel is relative to its top, with slashes.
type entry struct {
	rel  string
	mode fs.FileMode // type and permission bits
	size int64
	link string // where a symbolic link leads
}

// tree is a folder to copy.
type tree struct {
	folders []entry // parents before children; the top itself is "."
	files   []entry
	links   []entry
	total   int64 // bytes of all files

	leaveOut string // see TreeOptions
}

// leavesOut tells whether an entry is one of the folders that are not copied.
func (t *tree) leavesOut(e entry) bool {
	return t.leaveOut != "" && e.rel != "." && e.mode.IsDir() && path.Base(e.rel) == t.leaveOut
}

func (t *tree) add(e entry) error {
	switch {
	case len(t.folders)+len(t.files)+len(t.links) >= maxNames:
		return fmt.Errorf("it holds more than %d files and folders: copy a part of it, or an archive", maxNames)
	case len(e.rel) > maxPath || len(e.link) > maxPath:
		return fmt.Errorf("%.60s...: the path is longer than %d bytes", e.rel, maxPath)
	case e.mode.IsDir():
		t.folders = append(t.folders, e)
	case e.mode.IsRegular():
		t.files = append(t.files, e)
		t.total += e.size
	case e.mode&fs.ModeSymlink != 0:
		t.links = append(t.links, e)
	default:
		return fmt.Errorf("%s is a %s: only files, folders and symbolic links can be copied", e.rel, kind(e.mode))
	}
	return nil
}

func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// PutDir copies what is in the folder local into the folder name of the node, which is made if it is missing (its
// parents too); what is there already stays unless it has the same name. Symbolic links stay links, modes and empty
// folders are kept, each file comes as with Put. The first failure ends it.
func (c *Client) PutDir(ctx context.Context, local, name string, o TreeOptions) error {
	if !path.IsAbs(name) {
		return fmt.Errorf("%s: put %q: the path must be absolute", c.Name(), name)
	}
	t, err := readTree(local, o.LeaveOut)
	if err != nil {
		return fmt.Errorf("folder to copy: %w", err)
	}
	if o.Sudo && c.User() != "root" {
		return c.putTreeSudo(ctx, t, local, name, o)
	}
	return c.putTree(ctx, t, local, name, o)
}

// readTree lists a local folder.
func readTree(local, leaveOut string) (*tree, error) {
	top, err := filepath.EvalSymlinks(local)
	if err != nil {
		return nil, err
	}
	t := &tree{leaveOut: leaveOut}
	err = filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		if rel == "." && !info.IsDir() {
			return fmt.Errorf("%s: not a folder", local)
		}
		e := entry{rel: filepath.ToSlash(rel), mode: localMode(info), size: info.Size()}
		if t.leavesOut(e) {
			return fs.SkipDir
		}
		if e.mode&fs.ModeSymlink != 0 {
			to, err := os.Readlink(name)
			if err != nil {
				return err
			}
			e.link = filepath.ToSlash(to)
		}
		return t.add(e)
	})
	return t, err
}

// localMode is a file's mode; Windows knows no permissions, so usual ones stand in for them.
func localMode(info fs.FileInfo) fs.FileMode {
	if runtime.GOOS != "windows" {
		return info.Mode()
	}
	if info.IsDir() {
		return info.Mode().Type() | 0o755
	}
	return info.Mode().Type() | 0o644
}

func (c *Client) putTree(ctx context.Context, t *tree, local, name string, o TreeOptions) error {
	if err := c.putFolders(ctx, t, name); err != nil {
		return err
	}
	p := &treeProgress{o: o, total: t.total}
	err := forEach(ctx, t.files, o, func(ctx context.Context, e entry) error {
		return c.putOne(ctx, filepath.Join(local, filepath.FromSlash(e.rel)), path.Join(name, e.rel), e, p)
	})
	if err != nil {
		return err
	}
	return c.files.use(ctx, func(s *transfer) error {
		for _, e := range t.links {
			if err := putLink(s.Client, e.link, path.Join(name, e.rel)); err != nil {
				return c.fileError("link", path.Join(name, e.rel), err)
			}
		}
		for _, e := range slices.Backward(t.folders) { // children first: a folder may become read-only
			if err := s.Chmod(path.Join(name, e.rel), e.mode); err != nil {
				return c.fileError("chmod", path.Join(name, e.rel), err)
			}
		}
		return nil
	})
}

// putFolders makes all folders, writable for now.
func (c *Client) putFolders(ctx context.Context, t *tree, name string) error {
	return c.files.use(ctx, func(s *transfer) error {
		if err := s.MkdirAll(path.Dir(path.Clean(name))); err != nil {
			return c.fileError("make folder", path.Dir(name), err)
		}
		for _, e := range t.folders {
			full := path.Join(name, e.rel)
			if there, err := s.Stat(full); err == nil {
				if !there.IsDir() {
					return c.fileError("make folder", full, errors.New("there is a file by this name"))
				}
				if e.mode.Perm()|0o700 == there.Mode().Perm() {
					continue
				}
			} else if err := s.Mkdir(full); err != nil {
				return c.fileError("make folder", full, err)
			}
			if err := s.Chmod(full, e.mode.Perm()|0o700); err != nil {
				return c.fileError("chmod", full, err)
			}
		}
		return nil
	})
}

func (c *Client) putOne(ctx context.Context, from, to string, e entry, p *treeProgress) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return c.Put(ctx, File{Path: to, Mode: unixMode(e.mode), Content: in, Size: SizeOf(e.size), Progress: p.one()})
}

// putLink makes a symbolic link, replacing a file or link at its place.
func putLink(s *sftp.Client, to, name string) error {
	if there, err := s.Lstat(name); err == nil {
		if there.IsDir() {
			return errors.New("there is a folder by this name")
		}
		if now, err := s.ReadLink(name); err == nil && now == to {
			return nil
		}
	}
	temp := tempBeside(name)
	if err := s.Symlink(to, temp); err != nil {
		return err
	}
	err := rename(s, temp, name)
	if err != nil {
		_ = s.Remove(temp)
	}
	return err
}

// copyScript copies the tree $1 into the folder $2 as root's.
const copyScript = `set -eu
mkdir -p -- "$2"
cp -R -P --preserve=mode -- "$1/." "$2"`

// putTreeSudo uploads to a folder that only the user can enter, and copies from there.
func (c *Client) putTreeSudo(ctx context.Context, t *tree, local, name string, o TreeOptions) (err error) {
	folder, err := c.private(ctx)
	if err != nil {
		return c.fileError("put", name, err)
	}
	defer func() {
		end, cancel := c.cleanup(ctx)
		defer cancel()
		// chmod: a read-only folder keeps its content from being removed.
		_, clean := c.Run(end, Command{Args: []string{"sh", "-c", `chmod -R u+rwX -- "$1" && rm -rf -- "$1"`, "podium-clean", folder}})
		if clean != nil {
			err = errors.Join(err, fmt.Errorf("remove temporary folder: %w", clean))
		}
	}()
	upload := path.Join(folder, "tree")
	if err := c.putTree(ctx, t, local, upload, o); err != nil {
		return err
	}
	_, err = c.Run(ctx, Command{Sudo: true, Args: []string{"sh", "-c", copyScript, "podium-copy", upload, name}})
	return c.installError(name, err)
}

// unixMode turns Go's permission bits into those of Unix.
func unixMode(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	if mode&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if mode&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	if mode&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	return bits
}

// forEach copies files side by side, until the first failure.
func forEach(ctx context.Context, files []entry, o TreeOptions, one func(context.Context, entry) error) error {
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(o.Parallel)
	for _, f := range files {
		if inner.Err() != nil {
			break
		}
		group.Go(func() error { return one(inner, f) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// treeProgress adds up the progress of many files.
type treeProgress struct {
	o     TreeOptions
	total int64
	done  atomic.Int64
}

// one gives the progress function of one more file.
func (p *treeProgress) one() func(int64) {
	if p.o.Progress == nil {
		return nil
	}
	var before int64
	return func(now int64) {
		p.o.Progress(p.done.Add(now-before), p.total)
		before = now
	}
}

// SizeOf is the size to announce for a local file that is said to have so many bytes: files of /proc have some, although
// the kernel says none.
func SizeOf(said int64) int64 {
	if said == 0 {
		return -1
	}
	return said
}
