package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"podium/provision/catalogue"
	"podium/provision/folder"
)

// FileName is what the description is called in a lab's folder.
const FileName = "lab.yaml"

// LoadOptions is what a caller puts beside the file.
type LoadOptions struct {
	Provider string              // takes the place of the file's provider; empty: the file decides
	Env      func(string) string // such as os.Getenv; PODIUM_MIRROR_* fill mirrors that the file leaves empty; nil: none
	Config   string              // file of the user's settings (Config), which fill what is empty then; empty: none
	Steps    []string            // names of the built-in steps, which after may name; nil: any name goes
	// Check looks at a lab that is right in itself, such as whether a plan can be made of it; nil: nothing more. Its
	// Problems are given their places in the file.
	Check func(Lab) error
	// Warn is told what is allowed but unlikely to last on the day Today, when the rest is right; nil: nobody wants
	// to know.
	Warn  func(Problem)
	Today catalogue.Date
}

// Load reads the description at path, a file or a folder with a lab.yaml, lays the lab.override.yaml beside it over it
// if there is one, fills in defaults and checks it all. The error is a Problems when the description is at fault, otherwise what kept the file from being read.
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
	overFile, over, err := readOverride(file)
	if err != nil {
		return Lab{}, err
	}
	l, at, err := parse(file, text, overFile, over)
	if at.flawed[""] {
		return Lab{}, err
	}
	var problems Problems
	errors.As(err, &problems)
	l.Dir = dir
	problems = append(problems, mirrorsFromEnvironment(&l.Mirrors, &at, o.Env)...)
	config, there, err := readConfig(o.Config)
	if wrong, atFault := errors.AsType[Problems](err); err != nil && !atFault {
		return Lab{}, err
	} else if atFault {
		problems = append(problems, wrong...)
	}
	mirrorsFromConfig(&l.Mirrors, &at, config, there)
	Default(&l)
	if o.Provider != "" {
		override(&l, &at, o.Provider)
		Default(&l) // that provider's own section
	}
	if err := append(problems, validate(l, at, o.Steps)...).Err(); err != nil {
		return Lab{}, err
	}
	if o.Check != nil {
		if err := o.Check(l); err != nil {
			return Lab{}, at.place(err)
		}
	}
	if o.Warn != nil {
		for _, w := range warnings(l, at, o.Today) {
			o.Warn(w)
		}
	}
	return l, nil
}

// override puts another provider in the place of the file's. How to reach machines that exist already means nothing to
// the others, but the addresses that it tells are kept.
func override(l *Lab, at *Positions, provider string) {
	if l.Provider == ProviderStatic && provider != ProviderStatic {
		network, _ := netip.ParsePrefix(l.Network)
		for i := range l.Nodes {
			n := &l.Nodes[i]
			if address := givenAddress(*l, *n, network); n.Address == "" && address.IsValid() {
				n.Address = address.String()
			}
			n.SSH = nil
		}
	}
	l.Provider = provider
	at.sources["provider"] = "--provider"
	delete(at.flawed, "provider")
}

// readFile finds the description and reads it.
func readFile(path string) (file string, text []byte, err error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		dir := path
		path = filepath.Join(path, FileName)
		_, err = os.Stat(path)
		if name := Misnamed(dir); err != nil && name != "" {
			return "", nil, fmt.Errorf("no description at %s: there is %s: rename it to %s: %w", path, name, FileName, fs.ErrNotExist)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, fmt.Errorf("no description at %s: name a lab's folder, or make one with podium init: %w", path, err)
	case err != nil:
		return "", nil, fmt.Errorf("read the description: %w", err)
	}
	text, err = readable(folder.ReadFile(path, maxFile)) // it may be a link: the user has named it, or lies in its folder
	return path, text, err
}

// readable puts into words why a description or an override cannot be read.
func readable(text []byte, err error) ([]byte, error) {
	switch {
	case errors.Is(err, folder.ErrTooLarge):
		return nil, fmt.Errorf("%w, and a description cannot need more: is it the right file?", err)
	case err != nil:
		return nil, fmt.Errorf("read the description: %w", err)
	}
	return text, nil
}
