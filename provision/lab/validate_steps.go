package lab

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxTimeout is the longest time that a step of the lab's own can ask for.
const maxTimeout = 24 * time.Hour

// maxScript is the largest script in bytes.
const maxScript = 1 << 20

// maxFiles is how much one entry of a step's files can hold, in bytes: they travel with the script each time it runs.
const maxFiles = 1 << 20

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// steps checks the lab's own steps. builtin holds the names of podium's steps; nil: not known.
func (c *checker) steps(builtin []string) {
	var own []string
	for i, s := range c.lab.Steps {
		path := fmt.Sprintf("steps[%d]", i)
		if c.name(path+".name", s.Name, "seed-data") {
			switch {
			case s.Name == "boot":
				c.bad(path+".name", s.Name, "is what podium calls the start of a machine: choose another")
			case slices.Contains(own, s.Name):
				c.bad(path+".name", s.Name, "is the name of an earlier step too: choose another")
			}
		}
		own = append(own, s.Name)
	}
	for i, s := range c.lab.Steps {
		path := fmt.Sprintf("steps[%d]", i)
		c.stepOn(path+".on", s.On)
		for j, after := range s.After {
			c.stepAfter(fmt.Sprintf("%s.after[%d]", path, j), s.Name, after, own, builtin)
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
		if d, err := time.ParseDuration(s.Timeout); err != nil || d <= 0 || d > maxTimeout {
			c.bad(path+".timeout", s.Timeout, "is not a time that a step can take: write one such as 90s or 10m, at most %s", "24h")
		}
	}
	c.circles()
}

// stepOn checks the roles and nodes that a step names.
func (c *checker) stepOn(path string, on []string) {
	var names []string
	roles := map[string]bool{}
	for _, m := range Machines(c.lab) {
		names = append(names, m.Name)
		for _, role := range m.Roles {
			roles[role] = true
		}
	}
	for _, n := range c.lab.Nodes {
		names = append(names, n.Name)
	}
	for i, name := range on {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case roles[name] || slices.Contains(names, name):
		case slices.Contains(Roles(), name):
			c.bad(at, name, "is the role of no node here: give it to one, or name another")
		case nearest(name, append(Roles(), names...)) != "":
			c.bad(at, name, "is neither a role nor a node: did you mean %s?", nearest(name, append(Roles(), names...)))
		default:
			c.bad(at, name, "is neither a role nor a node: write one of the roles or names of nodes")
		}
	}
}

// stepAfter checks a step that another one waits for.
func (c *checker) stepAfter(path, name, after string, own, builtin []string) {
	known := append(slices.Clone(builtin), own...)
	switch {
	case after == name:
		c.bad(path, after, "is the step itself: leave it out")
	case builtin == nil || slices.Contains(known, after):
	case nearest(after, known) != "":
		c.bad(path, after, "is not a step: did you mean %s?", nearest(after, known))
	default:
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
	info, err := fs.Stat(os.DirFS(c.lab.Dir), name)
	switch {
	case err != nil:
		c.bad(path, name, "is not in the lab's folder: put the script there, or correct the name")
	case !info.Mode().IsRegular():
		c.bad(path, name, "is not a file: write the name of a bash script")
	case info.Size() > maxScript:
		c.bad(path, name, "has %d bytes, more than a script can have: fetch large data from the script instead", info.Size())
	}
}

// stepFile checks a file or folder that a step takes to its machines.
func (c *checker) stepFile(path, name string) {
	if !c.inside(path, name, "manifests/web.yaml") || c.lab.Dir == "" {
		return
	}
	var size int64
	err := fs.WalkDir(os.DirFS(c.lab.Dir), name, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
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
	switch {
	case err != nil:
		c.bad(path, name, "is not in the lab's folder: put the file there, or correct the name")
	case size > maxFiles:
		c.bad(path, name, "has %d bytes, more than the %d that go with a step: podium copy carries large data, or fetch it from the script", size, int64(maxFiles))
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
	var path []string
	var visit func(i int)
	visit = func(i int) {
		state[i] = open
		path = append(path, c.lab.Steps[i].Name)
		for j, after := range c.lab.Steps[i].After {
			next, own := index[after]
			switch {
			case !own || next == i:
			case state[next] == open:
				circle := append(slices.Clone(path[slices.Index(path, after):]), after)
				c.bad(fmt.Sprintf("steps[%d].after[%d]", i, j), after, "closes a circle of steps that wait for each other (%s): leave one out", strings.Join(circle, ", "))
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
