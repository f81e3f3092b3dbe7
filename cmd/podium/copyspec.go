package main

import (
	"fmt"
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
// word local, and so does a drive letter on Windows, unless a node has that name: C: in capitals is always a drive.
func parsePlace(word, system string, nodes []string) copyEnd {
	head, rest, colon := strings.Cut(word, ":")
	if !colon || strings.ContainsAny(head, `/\`) || system == "windows" && isDrive(head, rest) && !slices.Contains(nodes, head) {
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
	return len(head) == 1 && (rest == "" || rest[0] == '\\' || rest[0] == '/')
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
		sources = append(sources, parsePlace(w, runtime.GOOS, b.nodeNames()))
	}
	target := parsePlace(words[len(words)-1], runtime.GOOS, b.nodeNames())
	job := copyJob{up: !target.local, target: target.path}
	on := target.nodes
	for _, p := range sources {
		switch {
		case p.local && target.local:
			return job, labHint(words, usage("%q and %q are both on this computer: one end of a copy is on nodes, as NODE:PATH or :PATH for all", p.path, target.path))
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
	if job.up && len(sources) > 1 && isLab(sources[0].path) {
		return job, labHint(words, usage("%s is a lab's folder, and would be copied with the rest", sources[0].path))
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

// labHint adds how copy takes a lab, if the first word looks like one: other verbs take it there.
func labHint(words []string, err *codeError) error {
	if len(words) > 2 && isLab(words[0]) {
		return err.hinted("copy takes the lab by --lab: podium --lab %s copy %s; to copy the folder, copy it alone", quoteAll(words[:1]), quoteAll(words[1:]))
	}
	return err
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

// endsInFolder reports whether a target names the folder to put something into, not the copy itself: it ends with a
// slash, or is empty, ".", ".." or "~" at its end.
func endsInFolder(target string) bool {
	last := target[strings.LastIndexAny(target, pathSeparators())+1:]
	return last == "" || last == "." || last == ".." || target == "~"
}

// meansContent reports whether a source is what is in a folder: site/ or site/.
func meansContent(source string) bool {
	rest := strings.TrimSuffix(source, ".")
	return len(rest) > 1 && strings.ContainsRune(pathSeparators(), rune(rest[len(rest)-1]))
}

// pathSeparators are the characters that part names of a path: on nodes, and on this computer.
func pathSeparators() string {
	if filepath.Separator == '\\' {
		return `/\`
	}
	return "/"
}

// place is where a source goes, below the target. A folder becomes the target, whether there is one already or not, so
// that copying again changes what was copied before; a file goes into a folder that is there. A target that names the
// folder to put it into takes the source's name, and so does the target of several sources.
func (j copyJob) place(source, name string, folder bool, targetIsFolder func() bool) string {
	switch {
	case folder && meansContent(source):
		return ""
	case len(j.sources) > 1 || endsInFolder(j.target):
		return name
	case !folder && targetIsFolder():
		return name
	}
	return ""
}

// localSource is the local path that goes to a node.
func (j copyJob) localSource(node, source string) string {
	return filepath.FromSlash(strings.ReplaceAll(source, nodeWord, node))
}

// String says what the job does, for the log.
func (j copyJob) String() string {
	return fmt.Sprintf("%v to %s, nodes %v, up %v", j.sources, j.target, j.nodes, j.up)
}
