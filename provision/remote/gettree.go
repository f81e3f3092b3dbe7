package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
)

// Stat tells of a file or folder on the node, following a symbolic link; fs.ErrNotExist if there is none.
func (c *Client) Stat(ctx context.Context, name string) (info fs.FileInfo, err error) {
	err = c.files.use(ctx, func(s *transfer) error {
		found, err := s.Stat(name)
		info = found
		return err
	})
	if err != nil {
		return nil, c.fileError("stat", name, err)
	}
	return info, nil
}

// GetFile copies a file of the node to local, which appears complete or not at all and gets the same mode. progress,
// if not nil, is told the bytes so far.
func (c *Client) GetFile(ctx context.Context, name, local string, progress func(got int64)) error {
	info, err := c.Stat(ctx, name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return c.fileError("get", name, fmt.Errorf("it is a %s: only files, folders and symbolic links can be copied", kind(info.Mode())))
	}
	if err := checkName(local); err != nil {
		return c.fileError("get", name, err)
	}
	root, err := os.OpenRoot(filepath.Dir(local))
	if err != nil {
		return err
	}
	defer root.Close()
	return c.getOne(ctx, name, root, filepath.Base(local), info.Mode(), progress)
}

// GetDir copies what is in the folder name of the node into the folder local, which is made if it is missing. As with
// PutDir, symbolic links stay links, modes and empty folders are kept, and the first failure ends it. Whatever the
// node says, nothing is written outside local; names that this computer cannot hold are refused before anything is
// written, and so is a tree that is larger than any real one.
func (c *Client) GetDir(ctx context.Context, name, local string, o TreeOptions) error {
	t := &tree{leaveOut: o.LeaveOut}
	err := c.files.use(ctx, func(s *transfer) error {
		top, err := s.Stat(name)
		if err != nil {
			return err
		}
		if !top.IsDir() {
			return errors.New("not a folder")
		}
		return list(ctx, s, name, entry{rel: ".", mode: top.Mode()}, t)
	})
	if err == nil {
		err = t.checkNames(runtime.GOOS)
	}
	if err != nil {
		return c.fileError("get", name, err)
	}
	if err := os.MkdirAll(local, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(local)
	if err != nil {
		return err
	}
	defer root.Close()
	return c.getTree(ctx, t, name, root, o)
}

// list adds a folder of the node and all that is below it.
func list(ctx context.Context, s *transfer, name string, folder entry, t *tree) error {
	if err := t.add(folder); err != nil {
		return err
	}
	var infos []fs.FileInfo
	err := s.meter.during(func() (err error) {
		infos, err = s.ReadDirContext(ctx, path.Join(name, folder.rel))
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", folder.rel, err)
	}
	for _, info := range infos {
		if reason := badName(info.Name(), "any"); reason != "" {
			return fmt.Errorf("%s: the name %q %s", folder.rel, info.Name(), reason)
		}
		e := entry{rel: path.Join(folder.rel, info.Name()), mode: info.Mode(), size: info.Size()}
		switch {
		case t.leavesOut(e):
		case e.mode.IsDir():
			err = list(ctx, s, name, e, t)
		case e.mode&fs.ModeSymlink != 0:
			if e.link, err = s.ReadLink(path.Join(name, e.rel)); err == nil {
				err = t.add(e)
			}
		default:
			err = t.add(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) getTree(ctx context.Context, t *tree, name string, root *os.Root, o TreeOptions) error {
	for _, e := range t.folders {
		local := filepath.FromSlash(e.rel)
		if err := root.MkdirAll(local, 0o700); err != nil {
			return err
		}
		if err := root.Chmod(local, e.mode.Perm()|0o700); err != nil {
			return err
		}
	}
	p := &treeProgress{o: o, total: t.total}
	err := forEach(ctx, t.files, o, func(ctx context.Context, e entry) error {
		return c.getOne(ctx, path.Join(name, e.rel), root, filepath.FromSlash(e.rel), e.mode, p.one())
	})
	if err != nil {
		return err
	}
	// Links come when no more files do, so that none is written through one.
	for _, e := range t.links {
		if err := getLink(root, e.link, filepath.FromSlash(e.rel)); err != nil {
			return err
		}
	}
	for i := len(t.folders) - 1; i >= 0; i-- {
		if err := root.Chmod(filepath.FromSlash(t.folders[i].rel), t.folders[i].mode.Perm()); err != nil {
			return err
		}
	}
	return nil
}

// getOne copies one file under a temporary name, and renames it.
func (c *Client) getOne(ctx context.Context, name string, root *os.Root, local string, mode fs.FileMode, progress func(int64)) error {
	temp := filepath.Join(filepath.Dir(local), ".podium-"+random())
	out, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = c.Get(ctx, name, &counted{to: DiskGuard(out, root.Name()), progress: progress})
	if err == nil {
		err = out.Chmod(mode.Perm())
	}
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = root.Rename(temp, local)
	}
	if err != nil {
		_ = root.Remove(temp)
	}
	return err
}

// getLink makes a symbolic link, replacing a file or link at its place.
func getLink(root *os.Root, to, local string) error {
	if now, err := root.Readlink(local); err == nil && filepath.ToSlash(now) == to {
		return nil
	}
	temp := filepath.Join(filepath.Dir(local), ".podium-"+random())
	if err := root.Symlink(to, temp); err != nil {
		return err
	}
	err := root.Rename(temp, local)
	if err != nil {
		_ = root.Remove(temp)
	}
	return err
}

// counted tells how much was written.
type counted struct {
	to       io.Writer
	n        int64
	progress func(int64)
}

func (w *counted) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.n += int64(n)
	if w.progress != nil {
		w.progress(w.n)
	}
	return n, err
}
