package lab

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Positions remembers where in the file each field of a Lab stands. The zero value knows nothing: problems then name
// the path alone.
type Positions struct {
	File    string
	marks   map[string]mark
	flawed  map[string]bool   // fields that Parse refused: Validate says nothing more about them
	sources map[string]string // fields that did not come from the file, and where they came from
}

// mark is a place in a file, line and column from 1, and the scalar that stands there.
type mark struct {
	file      string
	line, col int
	value     string
}

// find returns the mark of path, or of the nearest field around it.
func (p Positions) find(path string) (m mark, exact bool) {
	for at := path; ; at = parent(at) {
		if m, ok := p.marks[at]; ok {
			return m, at == path
		}
		if at == "" {
			return mark{}, false
		}
	}
}

// Problem is what is wrong with a field: what it holds, what is wrong with that, and after a colon what to write. It is
// none of a field that was refused already, as what that holds is not what the file says.
func (p Positions) Problem(path, value, message string) (problem Problem, ok bool) {
	if p.silent(path) {
		return Problem{}, false
	}
	problem = Problem{File: p.File, Path: path, Value: value, Message: message}
	if source := p.sources[path]; source != "" {
		problem.File, problem.Path = "", source
	} else {
		m, _ := p.find(path)
		problem.File, problem.Line, problem.Col = cmp.Or(m.file, p.File), m.line, m.col
	}
	return problem, true
}

// silent reports whether path or something around it was refused already.
func (p Positions) silent(path string) bool {
	for at := path; at != ""; at = parent(at) {
		if p.flawed[at] {
			return true
		}
	}
	return p.flawed[""]
}

// place gives Problems that name a field alone the field's place in the file. Other errors stay as they are.
func (p Positions) place(err error) error {
	var problems Problems
	if !errors.As(err, &problems) {
		return err
	}
	placed := slices.Clone(problems)
	for i := range placed {
		if placed[i].File == "" {
			m, _ := p.find(placed[i].Path)
			placed[i].File, placed[i].Line, placed[i].Col = cmp.Or(m.file, p.File), m.line, m.col
		}
	}
	return placed.Err()
}

// parent of nodes[1].memory is nodes[1]; of nodes[1], nodes; of nodes, the empty path.
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}
