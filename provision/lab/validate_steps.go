package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"podium/provision/folder"
)

// maxScript is the largest script in bytes.
const maxScript = 1 << 20

// maxFiles is how much one entry of a step's files can hold, in bytes: they travel with the script each time it runs.
const maxFiles = 1 << 20

// maxFileCount is how many files one entry can hold.
const maxFileCount = 1000

// maxCarried is how much the files of all steps can hold together, in bytes: podium keeps them in memory.
const maxCarried = 64 << 20

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// steps checks the lab's own steps. builtin holds the names of podium's steps; nil: not known.
func (c *checker) steps(builtin []string) {
	n := c.stepNames(builtin)
	seen := map[string]bool{}
	for i, s := range c.lab.Steps {
		path := fmt.Sprintf("steps[%d]", i)
		if c.name(path+".name", s.Name, "seed-data") {
			switch {
			case s.Name == "boot":
				c.bad(path+".name", s.Name, "is what podium calls the start of a machine: choose another")
			case seen[s.Name]:
				c.bad(path+".name", s.Name, "is the name of an earlier step too: choose another")
			}
		}
		seen[s.Name] = true
	}
	for i, s := range c.lab.Steps {
		path := fmt.Sprintf("steps[%d]", i)
		c.stepOn(path+".on", s.On, n)
		for j, after := range s.After {
			c.stepAfter(fmt.Sprintf("%s.after[%d]", path, j), s.Name, after, builtin != nil, n)
		}
		c.script(path+".script", s.Script)
		if s.Probe != "" {
			c.script(path+".probe", s.Probe)
		}
		for j, name := range s.Files {
			c.stepFile(fmt.Sprintf("%s.files[%d]", path, j), name)
		}
		for name := range s.Vars {
			switch {
			case !variable.MatchString(name):
				c.bad(join(path+".vars", name), "", "%q is not the name of a variable: write letters, digits and _, not starting with a digit", name)
			case name == "PODIUM_FACTS" || name == "PODIUM_FILES":
				c.bad(join(path+".vars", name), "", "is set by podium itself: choose another name")
			}
		}
		c.timeout(path+".timeout", s.Timeout, "90s or 10m")
	}
	c.circles()
}

// stepNames are the names that a step of the lab's own can refer to, to look up and to suggest.
type stepNames struct {
	targets     map[string]bool // nodes, and roles that a node has
	targetWords []string        // nodes, and all roles
	steps       map[string]bool
	stepWords   []string
}

func (c *checker) stepNames(builtin []string) stepNames {
	n := stepNames{targets: map[string]bool{}, targetWords: Roles(), steps: map[string]bool{}, stepWords: slices.Clone(builtin)}
	for _, m := range Machines(c.lab) {
		n.targetWords = append(n.targetWords, m.Name)
		n.targets[m.Name] = true
		for _, role := range m.Roles {
			n.targets[role] = true
		}
	}
	for _, node := range c.lab.Nodes {
		n.targetWords = append(n.targetWords, node.Name)
		n.targets[node.Name] = true
	}
	for _, s := range c.lab.Steps {
		n.stepWords = append(n.stepWords, s.Name)
	}
	for _, name := range n.stepWords {
		n.steps[name] = true
	}
	return n
}

// stepOn checks the roles and nodes that a step names.
func (c *checker) stepOn(path string, on []string, n stepNames) {
	for i, name := range on {
		if n.targets[name] {
			continue
		}
		at := fmt.Sprintf("%s[%d]", path, i)
		if slices.Contains(Roles(), name) {
			c.bad(at, name, "is the role of no node here: give it to one, or name another")
		} else if near := c.nearest(name, n.targetWords); near != "" {
			c.bad(at, name, "is neither a role nor a node: did you mean %s?", near)
		} else {
			c.bad(at, name, "is neither a role nor a node: write one of the roles or names of nodes")
		}
	}
}

// stepAfter checks a step that another one waits for.
func (c *checker) stepAfter(path, name, after string, known bool, n stepNames) {
	if after == name {
		c.bad(path, after, "is the step itself: leave it out")
		return
	}
	if !known || n.steps[after] {
		return
	}
	if near := c.nearest(after, n.stepWords); near != "" {
		c.bad(path, after, "is not a step: did you mean %s?", near)
	} else {
		c.bad(path, after, "is not a step: write one that podium plan shows, or one of steps")
	}
}

// script checks that a script is a file in the lab's folder.
func (c *checker) script(path, name string) {
	if name == "" {
		c.bad(path, "", "is missing: write the name of a bash script in the lab's folder, such as seed.sh")
		return
	}
	if !c.inside(path, name, "scripts/seed.sh") || c.lab.Dir == "" {
		return
	}
	info, err := fs.Stat(Files(c.lab.Dir), name)
	switch {
	case errors.Is(err, folder.ErrOutside):
		c.bad(path, name, "%s", leadsOut)
	case err != nil:
		c.bad(path, name, "is not in the lab's folder: put the script there, or correct the name")
	case !info.Mode().IsRegular():
		c.bad(path, name, "is not a file: write the name of a bash script")
	case info.Size() > maxScript:
		c.bad(path, name, "has %d bytes, more than a script can have: fetch large data from the script instead", info.Size())
	}
}

// leadsOut is what is wrong with a symbolic link out of the lab's folder: the lab's author would get at the files
// of those who run it.
const leadsOut = "leads out of the lab's folder by a symbolic link: put the file itself there"

// errTooMany ends the walk through a folder that has more files than go with a step.
var errTooMany = errors.New("too many files")

// stepFile checks a file or folder that a step takes to its machines.
func (c *checker) stepFile(path, name string) {
	if !c.inside(path, name, "manifests/web.yaml") || c.lab.Dir == "" {
		return
	}
	var size int64
	count := 0
	err := fs.WalkDir(Files(c.lab.Dir), name, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if count++; count > maxFileCount {
			return errTooMany
		}
		info, err := d.Info()
		if err == nil && !info.Mode().IsRegular() {
			c.bad(path, file, "is neither a file nor a folder: podium copies only those")
			return nil
		}
		if err == nil {
			size += info.Size()
		}
		return err
	})
	c.carried += size
	switch {
	case errors.Is(err, folder.ErrOutside):
		c.bad(path, name, "%s", leadsOut)
	case errors.Is(err, errTooMany):
		c.bad(path, name, "has more than the %d files that go with a step: podium copy carries more, or fetch them from the script", maxFileCount)
	case err != nil:
		c.bad(path, name, "is not in the lab's folder: put the file there, or correct the name")
	case size > maxFiles:
		c.bad(path, name, "has %d bytes, more than the %d that go with a step: podium copy carries large data, or fetch it from the script", size, int64(maxFiles))
	case c.carried > maxCarried:
		c.bad(path, name, "is too much: all files of all steps can have %d bytes: podium copy carries large data, or fetch it from the script", int64(maxCarried))
	}
}

// inside checks that name is a path inside the lab's folder, written with slashes.
func (c *checker) inside(path, name, example string) bool {
	switch {
	case strings.Contains(name, `\`):
		c.bad(path, name, "has a backslash in it: write %s", strings.ReplaceAll(name, `\`, "/"))
	case !fs.ValidPath(name) || name == ".":
		c.bad(path, name, "is not a file in the lab's folder: write a path such as %s, without / in front, . or ..", example)
	default:
		return true
	}
	return false
}

// circles reports own steps that wait for each other, each circle once.
func (c *checker) circles() {
	index := map[string]int{}
	for i, s := range c.lab.Steps {
		index[s.Name] = i
	}
	const (
		open = iota + 1
		closed
	)
	state := make([]int, len(c.lab.Steps))
	depth := make([]int, len(c.lab.Steps)) // where an open step stands in path
	var path []string
	var visit func(i int)
	visit = func(i int) {
		state[i], depth[i] = open, len(path)
		path = append(path, c.lab.Steps[i].Name)
		for j, after := range c.lab.Steps[i].After {
			next, own := index[after]
			switch {
			case !own || next == i:
			case state[next] == open:
				c.bad(fmt.Sprintf("steps[%d].after[%d]", i, j), after, "closes a circle of steps that wait for each other (%s): leave one out", circle(path[depth[next]:]))
			case state[next] == 0:
				visit(next)
			}
		}
		path = path[:len(path)-1]
		state[i] = closed
	}
	for i := range c.lab.Steps {
		if state[i] == 0 {
			visit(i)
		}
	}
}

// circle writes down steps that wait for each other, of many the first and last ones.
func circle(steps []string) string {
	names := append(slices.Clone(steps[:min(len(steps), 8)]), steps[0])
	if len(steps) > 8 {
		names = slices.Concat(steps[:4], []string{"..."}, steps[len(steps)-4:], steps[:1])
	}
	return strings.Join(names, ", ")
}
