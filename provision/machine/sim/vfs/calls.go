package vfs

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
