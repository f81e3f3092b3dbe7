package main

import (
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// copyEnd is one end of a copy: a path on this computer, or one on nodes.
type copyEnd struct {
	local bool
	nodes []string // on nodes: those named; empty: all that are selected
	path  string
}

// parsePlace reads NODE:PATH, NODE,NODE:PATH, :PATH or a local path. As with scp, a slash before the colon makes a
// word local, and so does a drive letter on Windows.
func parsePlace(word string) copyEnd {
	head, rest, colon := strings.Cut(word, ":")
	if !colon || strings.ContainsAny(head, `/\`) || isDrive(head, rest) {
		return copyEnd{local: true, path: word}
	}
	p := copyEnd{path: rest}
	for _, name := range strings.Split(head, ",") {
		if name != "" {
			p.nodes = append(p.nodes, name)
		}
	}
	return p
}

func isDrive(head, rest string) bool {
	return runtime.GOOS == "windows" && len(head) == 1 && (rest == "" || rest[0] == '\\' || rest[0] == '/')
}

// copyJob is a checked copy command.
type copyJob struct {
	up      bool     // to nodes
	sources []string // local paths, or paths on nodes
	target  string   // a path on nodes, or a local one with {node}
	nodes   []string
}

// nodeWord stands for the node's name in local names.
const nodeWord = "{node}"

// newCopyJob understands the words of a copy command. selected are the nodes that the flags choose, all those of the lab.
func newCopyJob(words []string, b *labSession, s selection) (copyJob, error) {
	var sources []copyEnd
	for _, w := range words[:len(words)-1] {
		sources = append(sources, parsePlace(w))
	}
	target := parsePlace(words[len(words)-1])
	job := copyJob{up: !target.local, target: target.path}
	on := target.nodes
	for _, p := range sources {
		switch {
		case p.local && target.local:
			return job, usage("%q and %q are both on this computer: one end of a copy is on nodes, as NODE:PATH or :PATH for all", p.path, target.path)
		case !p.local && !target.local:
			return job, usage("both ends are on nodes: copy to this computer first, then to the other node")
		case p.path == "":
			return job, usage("a source has no path: write NODE:PATH")
		}
		if !p.local {
			on = append(on, p.nodes...)
		}
		job.sources = append(job.sources, p.path)
	}
	if !job.up && len(sources) > 1 && !sameNodes(sources) {
		return job, usage("the sources are on different nodes: copy them one after the other, or name the nodes with --on")
	}
	if len(on) > 0 && len(s.nodes)+len(s.roles) > 0 {
		return job, usage("nodes are named twice, as %q and by --on or --role: leave one out", strings.Join(on, ","))
	}
	if len(on) > 0 {
		s = selection{nodes: slices.Compact(slices.Sorted(slices.Values(on)))}
	}
	var err error
	if job.nodes, err = b.selectNodes(s); err != nil {
		return job, err
	}
	return job, job.checkNames()
}

func sameNodes(places []copyEnd) bool {
	return !slices.ContainsFunc(places, func(p copyEnd) bool { return !slices.Equal(p.nodes, places[0].nodes) })
}

// checkNames refuses copies in which nodes would overwrite each other's files.
func (j copyJob) checkNames() error {
	if !j.up && len(j.nodes) > 1 && !strings.Contains(j.target, nodeWord) {
		base := strings.TrimSuffix(j.target, string(filepath.Separator))
		ext := filepath.Ext(base)
		such := strings.TrimSuffix(base, ext) + "-" + nodeWord + ext
		return usage("%d nodes would write to the same %s: put %s into the name, such as %s", len(j.nodes), j.target, nodeWord, such)
	}
	return nil
}

// localTarget is where a source of a node goes. A target that is a folder, or must be one because there are several
// sources, gets the source's name added.
func (j copyJob) localTarget(node, source string, isDir func(string) bool) string {
	target := filepath.FromSlash(strings.ReplaceAll(j.target, nodeWord, node))
	if len(j.sources) > 1 || strings.HasSuffix(j.target, "/") || strings.HasSuffix(j.target, string(filepath.Separator)) || isDir(target) {
		return filepath.Join(target, path.Base(source))
	}
	return target
}

// localSource is the local path that goes to a node.
func (j copyJob) localSource(node, source string) string {
	return filepath.FromSlash(strings.ReplaceAll(source, nodeWord, node))
}

// String says what the job does, for the log.
func (j copyJob) String() string {
	return fmt.Sprintf("%v to %s, nodes %v, up %v", j.sources, j.target, j.nodes, j.up)
}
