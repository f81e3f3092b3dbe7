package vfs

import (
	"io/fs"
	"path"
	"strings"
)

// spot is where a path leads: the directory it ends in, the last name, and what is there.
type spot struct {
	dir  ino
	name string
	at   ino // 0: nothing is there yet
	node *inode
	path string // without symbolic links
}

const maxLinks = 40

// errNotThere is what a command that is looked for in many directories gets from most.
var errNotThere = failed("access", "", ENOENT)

// walk follows a path. With follow, a symbolic link at its end is followed too. When only the last element is missing,
// walk succeeds with at 0.
func (f *FS) walk(c Cred, op, p string, follow bool) (spot, error) {
	w := walker{f: f, c: c}
	s, e := w.walk(p, follow)
	if e == ENOENT && op == "access" {
		return spot{}, errNotThere
	}
	if e != "" {
		return spot{}, failed(op, p, e)
	}
	return s, nil
}

type walker struct {
	f     *FS
	c     Cred
	links int
}

func (w *walker) walk(p string, follow bool) (spot, Errno) {
	if !strings.HasPrefix(p, "/") {
		return spot{}, EINVAL
	}
	if s, e, ok := w.quick(p, follow); ok {
		return s, e
	}
	root := spot{dir: rootIno, at: rootIno, node: w.f.inode(rootIno), path: "/"}
	return w.from([]spot{root}, p, follow)
}

// quick walks a path without links, "..", virtual directories and doubled slashes, which most are, and allocates
// nothing; not ok: from has to do it.
func (w *walker) quick(p string, follow bool) (spot, Errno, bool) {
	at, dir := rootIno, rootIno
	node := w.f.inode(rootIno)
	name := ""
	for rest := p[1:]; rest != ""; {
		if !node.isDir() {
			return spot{}, ENOTDIR, true
		}
		if node.virtual {
			return spot{}, "", false
		}
		var more bool
		name, rest, more = strings.Cut(rest, "/")
		if name == "" || name == "." || name == ".." || more && rest == "" {
			return spot{}, "", false
		}
		if !may(w.c, node, 1) {
			return spot{}, EACCES, true
		}
		next, ok := node.find(name)
		if !ok {
			if rest == "" {
				return spot{dir: at, name: name, path: p}, "", true
			}
			return spot{}, ENOENT, true
		}
		dir, at, node = at, next, w.f.inode(next)
		if node.isSymlink() && (rest != "" || follow) {
			return spot{}, "", false
		}
	}
	return spot{dir: dir, name: name, at: at, node: node, path: p}, "", true
}

// from walks p beginning at the last of trail, the directories from the root on.
func (w *walker) from(trail []spot, p string, follow bool) (spot, Errno) {
	mustBeDir := strings.HasSuffix(p, "/")
	for p != "" {
		var name string
		name, p, _ = strings.Cut(p, "/")
		here := trail[len(trail)-1]
		if name == "" || name == "." {
			continue
		}
		if !here.node.isDir() {
			return spot{}, ENOTDIR
		}
		if name == ".." {
			if len(trail) > 1 {
				trail = trail[:len(trail)-1]
			}
			continue
		}
		if here.node.virtual {
			return w.virtual(here, strings.TrimSuffix(path.Join(name, p), "/"), follow)
		}
		if !may(w.c, here.node, 1) {
			return spot{}, EACCES
		}
		last := strings.Trim(p, "/") == ""
		at, ok := here.node.find(name)
		if !ok {
			if last {
				return spot{dir: here.at, name: name, path: path.Join(here.path, name)}, ""
			}
			return spot{}, ENOENT
		}
		next := spot{dir: here.at, name: name, at: at, node: w.f.inode(at), path: path.Join(here.path, name)}
		if next.node.isSymlink() && (!last || follow || mustBeDir) {
			if w.links++; w.links > maxLinks {
				return spot{}, ELOOP
			}
			start := trail
			if strings.HasPrefix(next.node.target, "/") {
				start = trail[:1]
			}
			rest := next.node.target
			if !last || mustBeDir {
				rest += "/" + p
			}
			return w.from(append([]spot(nil), start...), rest, follow)
		}
		trail = append(trail, next)
	}
	end := trail[len(trail)-1]
	if mustBeDir && !end.node.isDir() {
		return spot{}, ENOTDIR
	}
	return end, ""
}

// virtual finds rel below a virtual directory; the inode it returns is made on the spot.
func (w *walker) virtual(root spot, rel string, follow bool) (spot, Errno) {
	v := w.f.virtual[root.node.target]
	if v == nil {
		return spot{}, ENOENT
	}
	rel = path.Clean(rel)
	file, ok := v.Lookup(rel)
	if !ok {
		return spot{}, ENOENT
	}
	if file.Mode&fs.ModeSymlink != 0 && follow {
		if w.links++; w.links > maxLinks {
			return spot{}, ELOOP
		}
		return w.walk(Clean(path.Join(root.path, path.Dir(rel)), file.Target), true)
	}
	n := &inode{mode: file.Mode, mtime: w.f.now().UnixNano(), links: 1, volatile: true, target: file.Target}
	if file.Read != nil {
		n.data = []byte(file.Read())
	}
	return spot{dir: root.at, name: path.Base(rel), at: virtualIno, node: n, path: path.Join(root.path, rel)}, ""
}

// virtualIno stands for every file of a virtual directory.
const virtualIno ino = 1 << 63

// virtualFile finds the provider's file again, for writing and listing.
func (f *FS) virtualFile(p string) (VirtualFile, bool) {
	for name, v := range f.virtual {
		root, e := (&walker{f: f}).walk("/"+name, true)
		if e != "" || root.node == nil || !root.node.virtual {
			continue
		}
		if rel, ok := strings.CutPrefix(p, root.path+"/"); ok {
			return v.Lookup(rel)
		}
		if p == root.path {
			return v.Lookup(".")
		}
	}
	return VirtualFile{}, false
}

// may reports whether c may use the inode: 4 read, 2 write, 1 execute or search.
func may(c Cred, n *inode, want uint32) bool {
	perm := uint32(n.mode.Perm())
	if c.UID == 0 {
		return want&1 == 0 || n.isDir() || perm&0o111 != 0
	}
	switch {
	case c.UID == n.uid:
		perm >>= 6
	case c.in(n.gid):
		perm >>= 3
	}
	return perm&want == want
}

func (c Cred) in(gid uint32) bool {
	if c.GID == gid {
		return true
	}
	for _, g := range c.Groups {
		if g == gid {
			return true
		}
	}
	return false
}
