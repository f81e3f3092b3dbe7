package command

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"podium/provision/machine/sim/guest"
	"podium/provision/machine/sim/option"
	"podium/provision/machine/sim/vfs"
)

func archives() guest.Programs {
	return guest.Programs{"tar": tarCommand}
}

func tarCommand(_ context.Context, p *guest.Process) int {
	if len(p.Args) > 1 && !strings.HasPrefix(p.Args[1], "-") { // "tar xzf"
		p.Args = append([]string{p.Args[0], "-" + p.Args[1]}, p.Args[2:]...)
	}
	o, ok := option.Parse(p, "x,extract,get c,create t,list f,file: z,gzip,gunzip C,directory: strip-components: v,verbose p,preserve-permissions,same-permissions "+
		"no-same-owner same-owner owner: group: overwrite warning: a,auto-compress J,xz j,bzip2 m,touch transform: sort: mtime: numeric-owner", option.GNU)
	if !ok {
		return usage
	}
	if o.Has("J") || o.Has("j") {
		return p.Fail(usage, "the simulator's model has only gzip compression")
	}
	t := tarring{p: p, o: o, dir: p.Dir}
	if dir := o.Value("C"); dir != "" {
		t.dir = vfs.Clean(p.Dir, dir)
		if info, err := p.FS().Stat(p.Cred, t.dir); err != nil || !info.IsDir() {
			return p.Fail(2, "%s: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now", dir)
		}
	}
	switch {
	case o.Has("c"):
		return t.create()
	case o.Has("x"), o.Has("t"):
		return t.read()
	}
	return p.Fail(2, "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options")
}

type tarring struct {
	p   *guest.Process
	o   option.Set
	dir string
}

func (t *tarring) file(flag int) (io.ReadWriteCloser, error) {
	name := t.o.Or("f", "-")
	if name == "-" {
		name = "/dev/stdin"
		if flag != os.O_RDONLY {
			name = "/dev/stdout"
		}
	}
	return t.p.Open(name, flag, 0o666)
}

func (t *tarring) read() int {
	f, err := t.file(os.O_RDONLY)
	if err != nil {
		return t.p.Fail(2, "%s: Cannot open: %s\ntar: Error is not recoverable: exiting now", t.o.Value("f"), guest.Reason(err))
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return 2
	}
	var r io.Reader = bytes.NewReader(data)
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		if r, err = gzip.NewReader(r); err != nil {
			return t.p.Fail(2, "gzip: stdin: not in gzip format\ntar: Child returned status 1")
		}
	} else if t.o.Has("z") {
		return t.p.Fail(2, "gzip: stdin: not in gzip format\ntar: Child returned status 1\ntar: Error is not recoverable: exiting now")
	}
	tr := tar.NewReader(r)
	strip := number(t.o.Value("strip-components"))
	wanted := map[string]bool{}
	for _, n := range t.o.Args {
		wanted[strings.TrimSuffix(n, "/")] = false
	}
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t.p.Fail(2, "This does not look like a tar archive\ntar: Exiting with failure status due to previous errors")
		}
		if len(wanted) > 0 && !t.selects(wanted, h.Name) {
			continue
		}
		if t.o.Has("t") {
			t.p.Print(h.Name + "\n")
			continue
		}
		name := path.Clean("/" + h.Name)[1:]
		parts := strings.Split(name, "/")
		if len(parts) <= strip {
			continue
		}
		if err := t.extract(h, tr, strings.Join(parts[strip:], "/")); err != nil {
			return t.p.Fail(2, "%s: Cannot open: %s\ntar: Exiting with failure status due to previous errors", h.Name, guest.Reason(err))
		}
		if t.o.Has("v") {
			t.p.Print(h.Name + "\n")
		}
	}
	for n, found := range wanted {
		if !found {
			return t.p.Fail(2, "%s: Not found in archive\ntar: Exiting with failure status due to previous errors", n)
		}
	}
	return 0
}

func (t *tarring) selects(wanted map[string]bool, name string) bool {
	name = strings.TrimSuffix(name, "/")
	for w := range wanted {
		if name == w || strings.HasPrefix(name, w+"/") {
			wanted[w] = true
			return true
		}
	}
	return false
}

func (t *tarring) extract(h *tar.Header, r io.Reader, name string) error {
	files, cred := t.p.Files()
	full := t.dir + "/" + name
	if err := files.MkdirAll(cred, path.Dir(full), 0o755); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return files.MkdirAll(cred, full, 0o755)
	case tar.TypeSymlink:
		files.Remove(cred, full) //nolint:errcheck // replaced
		return files.Symlink(cred, h.Linkname, full)
	case tar.TypeReg:
		files.Remove(cred, full) //nolint:errcheck // replaced
		f, err := files.Open(cred, full, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fs.FileMode(h.Mode)&fs.ModePerm)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		return errors.Join(err, f.Close())
	}
	return nil
}

func (t *tarring) create() int {
	var buf bytes.Buffer
	var w io.Writer = &buf
	var zw *gzip.Writer
	if t.o.Has("z") || strings.HasSuffix(t.o.Value("f"), "gz") && t.o.Has("a") {
		zw = gzip.NewWriter(&buf)
		w = zw
	}
	tw := tar.NewWriter(w)
	files, cred := t.p.Files()
	code := 0
	for _, name := range t.o.Args {
		err := each(t.p, vfs.Clean(t.dir, name), true, func(file string) error {
			rel := name + strings.TrimPrefix(file, vfs.Clean(t.dir, name))
			info, err := files.Lstat(cred, file)
			if err != nil {
				return err
			}
			link := ""
			if info.Mode()&fs.ModeSymlink != 0 {
				link, _ = files.Readlink(cred, file)
			}
			h, err := tar.FileInfoHeader(info, link)
			if err != nil {
				return err
			}
			h.Name = strings.TrimPrefix(rel, "/")
			h.Uid, h.Gid = int(info.UID), int(info.GID)
			if info.IsDir() {
				h.Name += "/"
				h.Size = 0
			}
			text := ""
			if info.Mode().IsRegular() {
				if text, err = files.ReadFile(cred, file); err != nil {
					return err
				}
				h.Size = int64(len(text))
			}
			if err := tw.WriteHeader(h); err != nil {
				return err
			}
			_, err = io.WriteString(tw, text)
			return err
		})
		if err != nil {
			t.p.Errorf("tar: %s: Cannot stat: %s", name, guest.Reason(err))
			code = 2
		}
	}
	tw.Close() //nolint:errcheck // a buffer takes all
	if zw != nil {
		zw.Close() //nolint:errcheck
	}
	out, err := t.file(os.O_WRONLY | os.O_CREATE | os.O_TRUNC)
	if err == nil {
		_, err = out.Write(buf.Bytes())
		out.Close()
	}
	if err != nil {
		return t.p.Fail(2, "%s: Cannot write: %s", t.o.Value("f"), guest.Reason(err))
	}
	return code
}
