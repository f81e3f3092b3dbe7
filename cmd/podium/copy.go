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

	"github.com/spf13/cobra"

	"podium/provision/remote"
	"podium/provision/report"
)

const copyLong = `Copy files and folders to nodes or from them. A path on nodes is written NODE:PATH,
NODE,NODE:PATH, or :PATH for all nodes (or those chosen by --on and --role). Paths on nodes that do
not start with / are relative to the home of the user. Folders are copied with all that is in them.

A target that is a folder, or ends with /, takes the source's name. {node} in local names stands for
the node's name; when several nodes are copied from, the target needs it. Files arrive completely
or not at all, and keep their modes.

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
  podium copy site :/tmp/ --role worker        # the folder site to all workers
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

// checkSources looks for missing local files before any node is touched.
func (j copyJob) checkSources() error {
	if !j.up {
		return nil
	}
	for _, source := range j.sources {
		for _, node := range j.nodes {
			if _, err := os.Stat(j.localSource(node, source)); err != nil {
				return usage("cannot copy: %w", err)
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
	into := len(t.job.sources) > 1 || t.job.target == "" || strings.HasSuffix(t.job.target, "/") || t.isDir(ctx, target)
	var written []string
	for _, source := range t.job.sources {
		local := t.job.localSource(t.client.Name(), source)
		to := target
		if into {
			to = path.Join(target, baseName(local))
		}
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
		return t.client.PutDir(ctx, local, to, remote.TreeOptions{Sudo: t.sudo, Progress: t.progress.tree()})
	}
	file, err := os.Open(local)
	if err != nil {
		return err
	}
	defer file.Close()
	count := t.progress.file()
	return t.client.Put(ctx, remote.File{
		Path: to, Mode: permissions(info), Content: file, Size: info.Size(), Sudo: t.sudo, Progress: count,
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
		to := t.job.localTarget(t.client.Name(), from, isLocalDir)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return written, err
		}
		if err := t.getOne(ctx, from, to); err != nil {
			return written, err
		}
		written = append(written, to)
	}
	return written, nil
}

func (t transfer) getOne(ctx context.Context, from, to string) error {
	if t.isDir(ctx, from) {
		if t.sudo {
			return fmt.Errorf("%s is a folder: --sudo reads single files only; make a copy first that %s may read: podium exec --sudo -- cp -r %s /tmp/",
				from, t.client.User(), from)
		}
		return t.client.GetDir(ctx, from, to, remote.TreeOptions{Progress: t.progress.tree()})
	}
	if t.sudo {
		return t.getAsRoot(ctx, from, to)
	}
	return t.client.GetFile(ctx, from, to, t.progress.file())
}

// getAsRoot reads a file that only root may read.
func (t transfer) getAsRoot(ctx context.Context, from, to string) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(to), ".podium-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	_, err = t.client.Run(ctx, remote.Command{Args: []string{"cat", "--", from}, Sudo: true, Stdout: temp})
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), to)
}

func isLocalDir(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.IsDir()
}
