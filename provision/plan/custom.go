package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"

	"podium/provision/lab"
	"podium/provision/step"
)

// StepBase is the built-in step that a lab's own steps wait for when they name none of their own machine's.
const StepBase = "base"

// custom adds the lab's own steps, then draws their edges. Their scripts lie in own.
//
// A step with a built-in step's name replaces the script on the machines it names, and keeps everything else: what the
// built-in step waits for, its variables, files, hint, and its probe unless the step brings one.
func (b *builder) custom(own fs.FS) error {
	var problems lab.Problems
	made := make([][]*Task, len(b.context.Lab.Steps))
	builtin := maps.Clone(b.byStep)
	for i, s := range b.context.Lab.Steps {
		tasks, problem := b.customTasks(s, own, builtin[s.Name])
		if problem != nil {
			problem.Path = fmt.Sprintf("steps[%d].%s", i, problem.Path)
			problems = append(problems, *problem)
		}
		made[i] = tasks
	}
	for i, s := range b.context.Lab.Steps {
		for j, name := range s.After {
			if len(b.byStep[name]) == 0 {
				problems = append(problems, lab.Problem{
					Path: fmt.Sprintf("steps[%d].after[%d]", i, j), Value: name,
					Message: "runs on no machine of this lab: name a step that podium plan shows",
				})
			}
		}
		for _, task := range made[i] {
			b.customEdges(task, s, builtin[s.Name] != nil)
		}
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// customTasks makes a step's tasks, or gives the tasks of the built-in step the other script. The path of a problem is
// the field in the step.
func (b *builder) customTasks(s lab.Step, own fs.FS, builtin []TaskID) ([]*Task, *lab.Problem) {
	script, problem := ownScript(own, b.guest, "script", s.Script)
	if problem != nil {
		return nil, problem
	}
	var probe Script
	if s.Probe != "" {
		if probe, problem = ownScript(own, b.guest, "probe", s.Probe); problem != nil {
			return nil, problem
		}
	}
	files, problem := ownFiles(own, s)
	if problem != nil {
		return nil, problem
	}
	timeout, err := time.ParseDuration(s.Timeout)
	if err != nil {
		return nil, &lab.Problem{Path: "timeout", Value: s.Timeout, Message: "is not a time that a step can take: write one such as 90s or 10m"}
	}
	var tasks []*Task
	for _, m := range b.context.Machines {
		if !b.selected(s.On, m) {
			continue
		}
		id := taskID(m.Name, s.Name)
		switch {
		case slices.Contains(builtin, id):
			task := b.tasks[id]
			task.Script, task.Timeout = script, max(task.Timeout, timeout)
			task.About += " (script of the lab's own)"
		case len(builtin) > 0 && len(s.On) > 0:
			return nil, &lab.Problem{Path: "on", Value: m.Name, Message: "does not run the built-in step " + s.Name + ": leave it out, or give the step another name"}
		case len(builtin) > 0:
			continue
		default:
			task := Task{
				Node: m.Name, Step: s.Name, About: "the lab's own " + s.Script, Script: script, Timeout: timeout,
				Hint: "read " + s.Script + " in the lab's folder",
			}
			if err := b.add(task); err != nil {
				return nil, &lab.Problem{Path: "name", Value: s.Name, Message: "is the name of an earlier step too: choose another"}
			}
		}
		if s.Probe != "" {
			b.tasks[id].Probe = probe
		}
		if s.Rehearse != nil {
			b.tasks[id].NotRehearsed = !*s.Rehearse && b.context.Lab.Provider == lab.ProviderSim
		}
		b.tasks[id].Files = slices.Concat(b.tasks[id].Files, files)
		b.customVars(b.tasks[id], s)
		tasks = append(tasks, b.tasks[id])
	}
	return tasks, nil
}

// customVars gives a step's script every variable there is, as podium cannot tell what it calls. Its digest covers those
// that it mentions, so that a further machine in the lab does not run it again everywhere.
func (b *builder) customVars(task *Task, s lab.Step) {
	decisive := b.common[task.Node].Mentioned(task.Script.Text, task.Probe.Text)
	for _, vars := range []map[string]string{task.Vars, s.Vars} {
		maps.Copy(decisive, vars)
	}
	task.Digest = digest(*task, decisive)
	task.Vars = maps.Clone(b.common[task.Node])
	maps.Copy(task.Vars, decisive)
	if len(s.Files) > 0 {
		task.Vars["PODIUM_FILES"] = filesDir(s.Name)
	}
}

// customEdges lets a task wait for what its step names: for the task on its own machine where that has the step,
// otherwise for all machines that have it. A task that waits for nothing on its own machine waits for base.
func (b *builder) customEdges(task *Task, s lab.Step, replaces bool) {
	alone := !replaces
	for _, name := range s.After {
		before := b.before(task.Node, step.After{Step: name})
		alone = alone && len(before) == 0
		if len(before) == 0 {
			before = b.before(task.Node, step.After{Step: name, Everywhere: true})
		}
		task.After = append(task.After, before...)
	}
	if alone {
		task.After = append(task.After, b.before(task.Node, step.After{Step: StepBase})...)
	}
	b.needsMachine(task, task.Node)
}

// selected reports whether on, a list of roles and names of nodes, takes in the machine. An empty list takes in all;
// the name of a node with a count, all its machines.
func (b *builder) selected(on []string, m lab.Machine) bool {
	return len(on) == 0 || slices.ContainsFunc(on, func(name string) bool {
		return name == m.Name || name == b.context.Lab.Nodes[m.Entry].Name || m.HasRole(name)
	})
}

// ownScript reads a script of the lab's folder, which the field of the step names. It may take in files of podium's
// library, as a built-in script does that a teacher has copied to change it. What bash would not understand is found
// here, and not on a machine after half an hour.
func ownScript(own, guest fs.FS, field, name string) (Script, *lab.Problem) {
	bad := func(format string, args ...any) (Script, *lab.Problem) {
		return Script{}, &lab.Problem{Path: field, Value: name, Message: fmt.Sprintf(format, args...)}
	}
	if own == nil {
		return bad("cannot be read, as the lab has no folder")
	}
	data, err := fs.ReadFile(own, name)
	if err != nil {
		return bad("cannot be read (%v): put the file into the lab's folder", err)
	}
	text, err := step.ScriptText(data)
	if err != nil {
		return bad("%v", err)
	}
	if err := checkBash(text); err != nil {
		return bad("is not bash: %v", err)
	}
	if text, err = step.Text(withLibrary{own, guest}, name); err != nil {
		return bad("cannot be read (%v): put the file into the lab's folder", err)
	}
	return Script{Name: name, Text: text}, nil
}

// checkBash reads a script without running it, as bash -n does.
func checkBash(text string) error {
	_, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	var wrong syntax.ParseError
	if errors.As(err, &wrong) {
		return fmt.Errorf("line %d: %s", wrong.Pos.Line(), wrong.Text)
	}
	return err
}

// filesDir is where the files of a step of the lab's own lie on a node, with the paths they have in the lab's folder.
func filesDir(step string) string { return "/var/lib/podium/files/" + step }

// ownFiles reads the files and folders that a step of the lab's own takes along, with what is hidden in them.
func ownFiles(own fs.FS, s lab.Step) ([]step.File, *lab.Problem) {
	var files []step.File
	for i, name := range s.Files {
		at := fmt.Sprintf("files[%d]", i)
		if own == nil {
			return nil, &lab.Problem{Path: at, Value: name, Message: "cannot be read, as the lab has no folder"}
		}
		err := fs.WalkDir(own, name, func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && file != name && slices.Contains(keptHome, d.Name()):
				return fs.SkipDir
			case d.IsDir() || file != name && slices.Contains(keptHome, d.Name()):
				return nil
			}
			content, err := ownFile(own, file)
			if err != nil {
				return err
			}
			content.Path = path.Join(filesDir(s.Name), file)
			files = append(files, content)
			return nil
		})
		if err != nil {
			return nil, &lab.Problem{Path: at, Value: name, Message: fmt.Sprintf("cannot be read (%v): only text files go with a step; podium copy carries others", err)}
		}
	}
	return files, nil
}

// keptHome is what lies in a folder of a step's files and belongs to this computer: podium's memory of a lab, the history
// of versions, and what a system puts into folders that it shows.
var keptHome = []string{".podium", ".git", ".DS_Store", "Thumbs.db", "desktop.ini"}

// ownFile reads one file. It can be run where it can be here, or says in its first line by what: Windows knows no such
// permission, and archives lose it.
func ownFile(own fs.FS, name string) (step.File, error) {
	data, err := fs.ReadFile(own, name)
	if err != nil {
		return step.File{}, err
	}
	info, err := fs.Stat(own, name)
	if err != nil {
		return step.File{}, err
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return step.File{}, fmt.Errorf("%s is not text", name)
	}
	text := strings.ReplaceAll(strings.TrimPrefix(string(data), "\ufeff"), "\r\n", "\n")
	mode := uint32(0o644)
	if info.Mode()&0o111 != 0 || strings.HasPrefix(text, "#!") {
		mode = 0o755
	}
	return step.File{Mode: mode, Text: text}, nil
}

// withLibrary is a lab's folder with podium's lib/ in it.
type withLibrary struct{ own, guest fs.FS }

func (f withLibrary) Open(name string) (fs.File, error) {
	file, err := f.own.Open(name)
	if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(name, "lib/") {
		return f.guest.Open(name)
	}
	return file, err
}

// ReadFile reads no more than the lab's folder allows.
func (f withLibrary) ReadFile(name string) ([]byte, error) {
	text, err := fs.ReadFile(f.own, name)
	if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(name, "lib/") {
		return fs.ReadFile(f.guest, name)
	}
	return text, err
}
