package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// FileName is what the description is called in a lab's folder.
const FileName = "lab.yaml"

// LoadOptions is what a caller puts beside the file.
type LoadOptions struct {
	Provider string              // takes the place of the file's provider; empty: the file decides
	Env      func(string) string // such as os.Getenv; PODIUM_MIRROR_* fill mirrors that the file leaves empty; nil: none
	Steps    []string            // names of the built-in steps, which after may name; nil: any name goes
}

// Load reads the description at path, a file or a folder with a lab.yaml, fills in defaults and checks it. The error is
// a Problems when the description is at fault, otherwise what kept the file from being read.
func Load(path string) (Lab, error) { return LoadWith(path, LoadOptions{}) }

// LoadWith is Load with what a caller puts beside the file.
func LoadWith(path string, o LoadOptions) (Lab, error) {
	file, text, err := readFile(path)
	if err != nil {
		return Lab{}, err
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return Lab{}, fmt.Errorf("find the folder of %s: %w", file, err)
	}
	l, at, parseErr := Parse(file, text)
	l.Dir = dir
	if at.flawed[""] {
		return Lab{}, parseErr
	}
	if o.Provider != "" {
		l.Provider = o.Provider
		at.marks["provider"] = mark{}
	}
	fillMirrors(&l.Mirrors, &at, o.Env)
	Default(&l)
	err = validate(l, at, o.Steps)
	var problems, more Problems
	errors.As(parseErr, &problems)
	errors.As(err, &more)
	if err := append(problems, more...).err(); err != nil {
		return Lab{}, err
	}
	return l, nil
}

// readFile finds the description and reads it.
func readFile(path string) (file string, text []byte, err error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, FileName)
		info, err = os.Stat(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, fmt.Errorf("no description at %s: name a lab's folder, or make one with podium init: %w", path, err)
	case err != nil:
		return "", nil, fmt.Errorf("read the description: %w", err)
	case info.Size() > maxFile:
		return "", nil, fmt.Errorf("%s has %d bytes, more than a description can need: is it the right file?", path, info.Size())
	}
	text, err = os.ReadFile(path)
	if err != nil {
		return "", nil, fmt.Errorf("read the description: %w", err)
	}
	return path, text, nil
}
