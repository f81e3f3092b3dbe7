package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"podium/provision/folder"
	"podium/provision/remote"
	"podium/provision/report"
	"podium/provision/state"
)

const copyLong = `Copy files and folders to nodes or from them. A path on nodes is written NODE:PATH,
NODE,NODE:PATH, or :PATH for all nodes (or those chosen by --on and --role). Paths on nodes that do
not start with / are relative to the home of the user.

A file goes into a target that is a folder, or becomes the target. A folder becomes the target,
with all that is in it, so that copying it again brings the target up to date:

  site    to :/var/www    /var/www holds what site holds
  site    to :/var/www/   /var/www/site
  site/   to :/var/www/   /var/www holds what site holds (site/. means the same)

What is at the target already and not in the source stays. Several sources need a target that is a
folder, or ends with /. {node} in local names stands for the node's name; when several nodes are
copied from, the target needs it. Files arrive completely or not at all, and keep their modes.
Folders called .podium stay behind: they hold a lab's key and state. So do devices, sockets and
named pipes: they are refused.

As its arguments are paths, copy takes the lab only by --lab, or from the current folder upwards.`

type copyFlags struct {
	on       selection
	sudo     bool
	parallel int
}

func (a *app) copyCommand() *cobra.Command {
	var f copyFlags
	c := &cobra.Command{
		Use:     "copy SOURCE... TARGET",
		Aliases: []string{"cp"},
		Short:   "Copy files and folders to nodes or from them",
		Long:    copyLong,
		Example: `  podium copy app.yaml cp:                     # into the home folder on cp
  podium copy site :/tmp/ --role worker        # the folder /tmp/site on all workers
  podium copy site w1:/var/www/html --sudo     # what site holds becomes the page of w1
  podium copy motd :/etc/motd --sudo           # a file of root's, on all nodes
  podium copy w1:/var/log/syslog .             # from one node
  podium copy :/etc/hosts ./hosts-{node}       # from all nodes
  podium -C labs/docker copy compose.yaml :`,
		Args: args(2, -1, "a source and a target"),
		RunE: func(c *cobra.Command, given []string) error {
			if err := atLeastOne(c, "parallel"); err != nil {
				return err
			}
			where, err := a.folder(nil)
			if err != nil {
				return err
			}
			return a.copy(c.Context(), where, given, f)
		},
	}
	a.addSelection(c, &f.on)
	c.Flags().BoolVar(&f.sudo, "sudo", false, "as root on the nodes")
	c.Flags().IntVar(&f.parallel, "parallel", 16, "`number` of nodes at once")
	return c
}

func (a *app) copy(ctx context.Context, where labRef, words []string, f copyFlags) error {
	b, err := a.reachable(ctx, where)
	if err != nil {
		return err
	}
	job, err := newCopyJob(words, b, f.on)
	if err != nil {
		return err
	}
	if err := job.checkSources(); err != nil {
		return err
	}
	a.log.Debug("copy", "job", job.String())
	progress := a.startProgress(len(job.nodes))
	outcomes := remote.Each(ctx, job.nodes, f.parallel, func(ctx context.Context, name string) ([]string, error) {
		client, err := a.connect(ctx, b, name)
		if err != nil {
			return nil, err
		}
		defer client.Close()
		defer progress.node()
		t := transfer{client: client, job: job, sudo: f.sudo, progress: progress}
		if job.up {
			return t.put(ctx)
		}
		return t.get(ctx)
	})
	progress.stop()
	a.printCopied(job, outcomes)
	return failedNodes(outcomes)
}

// checkSources looks at the local files and the local target before any node is touched.
func (j copyJob) checkSources() error {
	if !j.up {
		if target := j.localSource(j.nodes[0], j.target); len(j.sources) > 1 && !endsInFolder(j.target) && !isLocalDir(target) {
			return usage("several sources need a folder to go into, and %s is none: end it with /, or make it", j.target)
		}
		return nil
	}
	for _, source := range j.sources {
		for _, node := range j.nodes {
			info, err := os.Stat(j.localSource(node, source))
			if err != nil {
				return usage("cannot copy: %w", err)
			}
			if !info.IsDir() && !info.Mode().IsRegular() {
				return usage("cannot copy %s: it is a device, a socket or a named pipe: copy a file, or write its output to one first", source)
			}
			if !strings.Contains(source, nodeWord) {
				break
			}
		}
	}
	return nil
}

// printCopied says what was written where, nodes with the same paths together.
func (a *app) printCopied(job copyJob, outcomes []remote.Outcome[[]string]) {
	var order []string
	nodes := map[string][]string{}
	for _, o := range outcomes {
		for _, written := range o.Value {
			if nodes[written] == nil {
				order = append(order, written)
			}
			nodes[written] = append(nodes[written], o.Name)
		}
	}
	for _, written := range order {
		side := "from"
		if job.up {
			side = "on"
		}
		fmt.Fprintf(a.stdout, "%s %s %s\n", report.Clean(written), side, listNames(nodes[written]))
	}
}

// transfer is a copy job on one node.
type transfer struct {
	client   *remote.Client
	job      copyJob
	sudo     bool
	progress *progress
}

// put copies to the node and lists what was written.
func (t transfer) put(ctx context.Context) ([]string, error) {
	target, err := t.absolute(ctx, t.job.target)
	if err != nil {
		return nil, err
	}
	isFolder := sync.OnceValue(func() bool { return t.isDir(ctx, target) })
	if len(t.job.sources) > 1 && !endsInFolder(t.job.target) && !isFolder() {
		return nil, fmt.Errorf("several sources need a folder to go into, and %s is none: end it with /, or make it", target)
	}
	var written []string
	for _, source := range t.job.sources {
		local := t.job.localSource(t.client.Name(), source)
		to := path.Join(target, t.job.place(source, baseName(local), isLocalDir(local), isFolder))
		if err := t.putOne(ctx, local, to); err != nil {
			var here *fs.PathError // a file of this computer, where no sudo is
			if errors.Is(err, fs.ErrPermission) && !t.sudo && !errors.As(err, &here) {
				err = fmt.Errorf("%w: add --sudo to write as root", err)
			}
			return written, err
		}
		written = append(written, to)
	}
	return written, nil
}

func (t transfer) putOne(ctx context.Context, local, to string) error {
	info, err := os.Stat(local)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return t.client.PutDir(ctx, local, to, remote.TreeOptions{Sudo: t.sudo, LeaveOut: state.DirName, Progress: t.progress.tree()})
	}
	file, err := folder.Open(local)
	if err != nil {
		return err
	}
	defer file.Close()
	count := t.progress.file()
	return t.client.Put(ctx, remote.File{
		Path: to, Mode: permissions(info), Content: file, Size: remote.SizeOf(info.Size()), Sudo: t.sudo, Progress: count,
	})
}

// permissions are a local file's; Windows knows none worth keeping.
func permissions(info fs.FileInfo) uint32 {
	if filepath.Separator == '\\' {
		return 0o644
	}
	return uint32(info.Mode().Perm())
}

// baseName is the last part of a local path, also of "." and "site/".
func baseName(local string) string {
	if abs, err := filepath.Abs(local); err == nil {
		local = abs
	}
	return filepath.Base(local)
}

// absolute completes a path of the node: relative ones start in the user's home.
func (t transfer) absolute(ctx context.Context, p string) (string, error) {
	p = strings.TrimPrefix(p, "~/")
	if p == "~" {
		p = ""
	}
	if path.IsAbs(p) {
		return p, nil
	}
	result, err := t.client.Run(ctx, remote.Command{Args: []string{"pwd"}})
	if err != nil {
		return "", fmt.Errorf("find the home folder: %w", err)
	}
	return path.Join(strings.TrimRight(string(result.Stdout), "\n"), p), nil
}

// isDir asks whether a path of the node is a folder. Where only root may look, root looks.
func (t transfer) isDir(ctx context.Context, p string) bool {
	info, err := t.client.Stat(ctx, p)
	if err == nil {
		return info.IsDir()
	}
	if t.sudo && errors.Is(err, fs.ErrPermission) {
		_, err := t.client.Run(ctx, remote.Command{Args: []string{"test", "-d", p}, Sudo: true})
		return err == nil
	}
	return false
}

// get copies from the node and lists what was written.
func (t transfer) get(ctx context.Context) ([]string, error) {
	var written []string
	for _, source := range t.job.sources {
		from, err := t.absolute(ctx, source)
		if err != nil {
			return written, err
		}
		folder := t.isDir(ctx, from)
		target := t.job.localSource(t.client.Name(), t.job.target)
		to := filepath.Join(target, t.job.place(source, path.Base(from), folder, func() bool { return isLocalDir(target) }))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return written, err
		}
		if err := t.getOne(ctx, from, to, folder); err != nil {
			return written, err
		}
		written = append(written, to)
	}
	return written, nil
}

func (t transfer) getOne(ctx context.Context, from, to string, folder bool) error {
	if folder {
		if t.sudo {
			return fmt.Errorf("%s is a folder: --sudo reads single files only; make a copy first that %s may read: podium exec --sudo -- cp -r %s /tmp/",
				from, t.client.User(), from)
		}
		return t.client.GetDir(ctx, from, to, remote.TreeOptions{LeaveOut: state.DirName, Progress: t.progress.tree()})
	}
	if t.sudo {
		return t.getAsRoot(ctx, from, to)
	}
	return t.client.GetFile(ctx, from, to, t.progress.file())
}

// catScript prints the file $1, and nothing that has no end.
const catScript = `[ -f "$1" ] || { echo "$1 is not a file: only files, folders and symbolic links can be copied" >&2; exit 1; }
exec cat -- "$1"`

// getAsRoot reads a file that only root may read.
func (t transfer) getAsRoot(ctx context.Context, from, to string) error {
	file, err := folder.At(filepath.Dir(to)).Create(filepath.Base(to), 0o600)
	if err != nil {
		return err
	}
	defer file.Discard()
	if _, err := t.client.Run(ctx, remote.Command{
		Args: []string{"sh", "-c", catScript, "podium-cat", from}, Sudo: true, Stdout: remote.DiskGuard(file, filepath.Dir(to)),
	}); err != nil {
		return err
	}
	return file.Commit()
}

func isLocalDir(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.IsDir()
}
