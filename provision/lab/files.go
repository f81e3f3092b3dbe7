package lab

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"podium/provision/folder"
)

// Files is the folder of a lab, for its scripts and the files of its steps: nothing outside it can be opened, nor what
// is not a file, nor more of a file than goes with a step.
func Files(dir string) fs.FS { return folder.At(dir).FS(max(maxScript, maxFiles)) }

// Misnamed is a file of the folder that is meant to be its lab.yaml: lab.yml, or lab.yaml.txt where Windows hides the
// ending. It is empty where there is none.
func Misnamed(dir string) string {
	entries, _ := os.ReadDir(dir) // what cannot be listed has no other name to offer
	for _, e := range entries {
		switch strings.ToLower(e.Name()) {
		case "lab.yml", "lab.yaml.txt", "lab.yml.txt", FileName:
			if e.Name() != FileName && !e.IsDir() {
				return e.Name()
			}
		}
	}
	return ""
}

// CheckNames refuses a lab whose names a description could not have: they become parts of paths and arguments of
// programs, also when the description is one that was written down and is not checked again.
func (l Lab) CheckNames() error {
	names := []string{l.Name}
	for _, n := range l.Nodes {
		names = append(names, n.Name)
	}
	for _, s := range l.Steps {
		names = append(names, s.Name)
	}
	for _, name := range names {
		if len(name) > maxName || !label.MatchString(name) {
			return fmt.Errorf("%q is not a name", name)
		}
	}
	return nil
}
