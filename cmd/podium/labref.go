package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"podium/provision/lab"
	"podium/provision/state"
)

// labRef is where a lab lives.
type labRef struct {
	arg   string     // what the user has to write after a verb to mean it: " labs/docker", or empty
	file  string     // its description, as the user would write it; it may not exist
	state *state.Dir // its .podium
	above bool       // nobody named it: it was found above the current folder
}

// described reports whether the description is there.
func (f labRef) described() bool {
	_, err := os.Stat(f.file)
	return err == nil
}

// folder finds the lab that a verb is about: its argument, --lab, or the nearest one from the current folder upwards.
func (a *app) folder(given []string) (labRef, error) {
	path := a.lab
	if len(given) > 0 {
		if a.lab != "" {
			return labRef{}, usage("two labs given: %q as argument and --lab %q: leave one out", given[0], a.lab)
		}
		path = given[0]
	}
	find := nearestFolder
	if path != "" {
		find = func() (labRef, error) { return openFolder(path) }
	}
	where, err := find()
	if err != nil {
		return labRef{}, err
	}
	return where, a.admit(where)
}

// openFolder takes a lab's folder or description file.
func openFolder(path string) (labRef, error) {
	if runtime.GOOS == "windows" {
		// Shells complete a folder's name with a backslash, and a program is handed "C:\my labs\" as C:\my labs". No name
		// there has a quote.
		path = strings.TrimSuffix(path, `"`)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return openGone(path, err)
	case err != nil:
		return labRef{}, fail(exitUsage, "cannot look at the lab: %w", err)
	}
	dir, file := path, filepath.Join(path, lab.FileName)
	if !info.IsDir() {
		dir, file = filepath.Dir(path), path
	}
	if info.IsDir() && !isLab(path) {
		if err := misnamed(path); err != nil {
			return labRef{}, err
		}
		return labRef{}, usage("no lab in %s: it has neither %s nor %s", path, lab.FileName, state.DirName).
			hinted("name a lab's folder, or make one: podium init k8s-basic %s", shellWord(path))
	}
	d, err := state.Open(dir)
	if err != nil {
		return labRef{}, fail(exitUsage, "%w", err)
	}
	return labRef{arg: " " + shellWord(path), file: file, state: d}, nil
}

// openGone takes lab.yaml by its name although it has been deleted, as long as podium remembers the lab.
func openGone(path string, err error) (labRef, error) {
	dir := filepath.Dir(path)
	if _, statErr := os.Stat(filepath.Join(dir, state.DirName)); statErr != nil || !isYAML(path) {
		return labRef{}, usage("no lab at %s: %w", path, errors.Unwrap(err)).hinted("name a lab's folder or its %s", lab.FileName)
	}
	d, err := state.Open(dir)
	if err != nil {
		return labRef{}, fail(exitUsage, "%w", err)
	}
	return labRef{arg: " " + shellWord(path), file: path, state: d}, nil
}

// nearestFolder looks for a lab from the current folder upwards.
func nearestFolder() (labRef, error) {
	dir, err := os.Getwd()
	if err != nil {
		return labRef{}, fail(exitFailed, "cannot tell the current folder: %w", err)
	}
	for up := "."; ; up = filepath.Join(up, "..") {
		if isLab(dir) {
			d, err := state.Open(dir)
			if err != nil {
				return labRef{}, fail(exitFailed, "%w", err)
			}
			if up != "." {
				if err := trusted(dir, up); err != nil {
					return labRef{}, err
				}
			}
			return labRef{file: filepath.Join(up, lab.FileName), state: d, above: up != "."}, nil
		}
		if err := misnamed(dir); up == "." && err != nil {
			return labRef{}, err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return labRef{}, usage("no lab here: neither this folder nor one above has %s", lab.FileName).
				hinted("name a lab's folder, or make one here: podium init k8s-basic")
		}
		dir = parent
	}
}

// misnamed is the error of a folder whose description has another name than lab.yaml; nil where there is none.
func misnamed(dir string) error {
	name := lab.Misnamed(dir)
	if name == "" {
		return nil
	}
	return usage("no lab in %s: the description there is called %s", dir, name).hinted("rename it to %s", lab.FileName)
}

// isLab reports whether dir has a description or what podium remembers of one.
func isLab(dir string) bool {
	for _, name := range []string{lab.FileName, state.DirName} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// looksLikeLab reports whether a word among others means a lab: a path, a YAML file, or a folder with a lab in it.
// Names of nodes, steps and snapshots hold no slash and no dot.
func looksLikeLab(word string) bool {
	return strings.ContainsRune(word, '/') || strings.ContainsRune(word, filepath.Separator) ||
		word == "." || word == ".." || isYAML(word) || isLab(word)
}

func isYAML(path string) bool {
	return strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml")
}

// splitLab takes a leading lab off the words of a verb that has other arguments too.
func splitLab(words []string) (labs, rest []string) {
	if len(words) > 0 && looksLikeLab(words[0]) {
		return words[:1], words[1:]
	}
	return nil, words
}

// shellWord writes a path so that it can be pasted into a shell.
func shellWord(path string) string {
	return quoteFor(runtime.GOOS, path)
}

// quoteFor quotes for a system's shells: cmd.exe and PowerShell know double quotes only, and no backslash escapes within;
// elsewhere single quotes keep everything as it is.
func quoteFor(system, path string) string {
	special := " \t'\"$&|;<>()*?[]#~!`{}"
	if system != "windows" {
		special += `\`
	}
	switch {
	case path != "" && !strings.ContainsAny(path, special):
		return path
	case system == "windows":
		return `"` + path + `"`
	}
	return `'` + strings.ReplaceAll(path, `'`, `'\''`) + `'`
}
