package exercise

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"podium/provision/folder"
	"podium/provision/lab"
	"podium/provision/wording"
)

// What an exercise can have, in bytes and in number.
const (
	maxDescription = 256 << 10
	maxText        = 256 << 10
	maxScript      = 256 << 10
	maxExercises   = 500
	maxChecks      = 100
)

// Errors of this package.
var (
	ErrUnknown = errors.New("no such exercise")
	// ErrNoNode is a target that no node of the lab is.
	ErrNoNode = errors.New("the lab has no node")
)

// Load reads all exercises of a lab, in the order of lab.yaml or else by name. The error is a lab.Problems with
// everything that is wrong with any of them; those that are right are given all the same.
func Load(l lab.Lab) ([]Exercise, error) {
	files := folder.At(l.Dir)
	names, problems, err := list(l, files)
	if err != nil {
		return nil, err
	}
	var all []Exercise
	for _, name := range names {
		e, err := load(l, files, name, names)
		var wrong lab.Problems
		switch {
		case errors.As(err, &wrong):
			problems = append(problems, wrong...)
		case err != nil:
			return nil, err
		default:
			all = append(all, e)
		}
	}
	if len(problems) == 0 {
		problems = circles(l, all)
	}
	return all, problems.Err()
}

// list gives the names of exercises in their order.
func list(l lab.Lab, files folder.Folder) (names []string, problems lab.Problems, err error) {
	entries, err := files.ReadDir(Folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("list the exercises: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() && e.Name()[0] != '.' {
			names = append(names, e.Name())
		}
	}
	if len(names) > maxExercises {
		return nil, nil, fmt.Errorf("%s has %d folders, more than the %d exercises that a lab can have", files.Path(Folder), len(names), maxExercises)
	}
	for i, name := range l.Exercises {
		if !slices.Contains(names, name) {
			p := lab.Problem{Path: fmt.Sprintf("exercises[%d]", i), Value: name, Message: "has no folder below " + Folder + "/: make it, or correct the name"}
			if near := lab.Nearest(name, names, len(name)/3+1); near != "" {
				p.Message = "has no folder below " + Folder + "/: did you mean " + near + "?"
			}
			problems = append(problems, p)
		}
	}
	place := func(name string) int {
		if i := slices.Index(l.Exercises, name); i >= 0 {
			return i
		}
		return len(l.Exercises) // those that lab.yaml leaves out come last
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(place(a), place(b)) })
	return names, problems, nil
}

// load reads one exercise. names are all of the lab.
func load(l lab.Lab, files folder.Folder, name string, names []string) (Exercise, error) {
	in := files.Sub(Folder, name)
	file := filepath.Join(files.Path(Folder, name), FileName)
	if relative := filepath.Join(Folder, name, FileName); l.Dir != "" {
		file = relative
	}
	text, err := in.Read(FileName, maxDescription)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Exercise{}, lab.Problems{{File: filepath.Dir(file), Message: "has no " + FileName + ": write one, or delete the folder"}}
	case err != nil:
		return Exercise{}, unreadable(file, err)
	}
	e, at, err := Parse(file, text)
	var problems lab.Problems
	errors.As(err, &problems)
	if err != nil && len(problems) == 0 {
		return Exercise{}, err
	}
	e.Name = name
	v := &validator{exercise: &e, lab: l, at: at, problems: problems, names: names}
	v.texts(in, filepath.Dir(file))
	v.scripts(in)
	v.all()
	return e, v.problems.Err()
}

// Parse reads an exercise.yaml, named file in messages, and nothing else. The error is a lab.Problems.
func Parse(file string, text []byte) (Exercise, lab.Positions, error) {
	var e Exercise
	at, err := lab.Decode(file, text, &e, "title", "checks")
	return e, at, err
}

// unreadable is a file that cannot be read, as a problem with it.
func unreadable(file string, err error) error {
	return lab.Problems{{File: file, Message: "cannot be read: " + err.Error()}}
}

// texts reads text.md and text.ko.md.
func (v *validator) texts(in folder.Folder, dir string) {
	read := func(name string) string {
		file := filepath.Join(dir, name)
		text, err := in.Read(name, maxText)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			v.problems = append(v.problems, lab.Problem{File: file, Message: "is missing: write what is to be done, in Markdown"})
		case err != nil:
			v.problems = append(v.problems, lab.Problem{File: file, Message: "cannot be read: " + err.Error()})
		case !utf8.Valid(text):
			v.problems = append(v.problems, lab.Problem{File: file, Message: "is not UTF-8: save the file as UTF-8 in your editor"})
		}
		v.placeholders(file, string(text))
		return string(text)
	}
	v.exercise.Text = wording.Text{EN: read(textEN), KO: read(textKO)}
}

// script reads a script of the exercise, once.
func (v *validator) script(in folder.Folder, at, name string) {
	bodies := v.exercise.Bodies
	if _, known := bodies[name]; known || name == "" {
		return
	}
	if !fs.ValidPath(name) || name == "." || path.Base(name) != name {
		v.bad(at, name, "is not a file in the exercise's folder: write a name such as solve.sh")
		return
	}
	text, err := in.Read(name, maxScript)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.bad(at, name, "is not in the exercise's folder: put the script there, or correct the name")
		return
	case err != nil:
		v.bad(at, name, "cannot be read: %v", err)
		return
	case !utf8.Valid(text):
		v.bad(at, name, "is not UTF-8: save the file as UTF-8 in your editor")
		return
	}
	bodies[name] = unix(string(text))
	if fault := bashFault(bodies[name]); fault != "" {
		v.bad(at, name, "is not bash: %s", fault)
	}
}

// scripts reads all scripts that the exercise names.
func (v *validator) scripts(in folder.Folder) {
	e := v.exercise
	e.Bodies = map[string]string{}
	for field, list := range e.runs() {
		for i, s := range list {
			v.script(in, fmt.Sprintf("%s[%d].run", field, i), s.Run)
		}
	}
	for i := range e.Checks {
		c := &e.Checks[i]
		v.script(in, fmt.Sprintf("checks[%d].script", i), c.Script)
		c.Body = e.Bodies[c.Script]
	}
}

// runs gives the lists of scripts by their fields.
func (e *Exercise) runs() map[string][]Script {
	return map[string][]Script{"setup": e.Setup, "solution": e.Solution, "wrong": e.Wrong}
}
