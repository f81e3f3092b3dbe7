package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"podium/labs"
	"podium/provision/lab"
	"podium/provision/report"
	"podium/provision/state"
)

const initLong = `Start a lab. With the name of a built-in lab, init copies it into FOLDER; without one it writes a
commented lab.yaml to start from, and lab.schema.json, by which editors complete and check it.
FOLDER is the current folder unless given, and is made if it is missing. Files that exist are never
overwritten.`

// schemaName is the file by which editors know what lab.yaml may hold.
const schemaName = "lab.schema.json"

// startingLab is what init writes when no built-in lab is named.
const startingLab = `# yaml-language-server: $schema=` + schemaName + `
# A lab for podium. "podium validate" checks this file, "podium validate -o yaml" shows it with all
# defaults, "podium up" makes the lab.

name: %s
provider: virtualbox            # virtualbox, libvirt, incus, static (machines that exist) or sim (a simulation)

# The nodes' private network. VirtualBox allows 192.168.56.0/21 without further ado.
network: 192.168.56.0/24        # nodes get .10, .11, ... in order unless they have an address of their own

nodes:
  - name: cp
    roles: [control-plane]      # control-plane, worker, docker, jenkins, monitoring
    cpus: 2
    memory: 3GiB
  - name: w
    count: 2                    # w1 and w2
    roles: [worker]
    cpus: 1
    memory: 2GiB
  # - name: ops
  #   roles: [jenkins, monitoring]
  #   cpus: 2
  #   memory: 3GiB

kubernetes:
  version: "1.36"
  cni: flannel

# jenkins:
#   port: 8080

# monitoring:
#   retention: 2d

# Steps of your own: a bash script beside this file, run on nodes or roles after other steps.
# steps:
#   - name: seed-data
#     on: [worker]
#     after: [kubeadm-join]
#     script: seed.sh
`

func (a *app) initCommand() *cobra.Command {
	f := struct {
		output outputFlag
		list   bool
	}{output: outputFlag{format: formatText, formats: []string{formatText, formatJSON}}}
	c := &cobra.Command{
		Use:   "init [NAME [FOLDER]]",
		Short: "Start a lab: copy a built-in one, or write a commented lab.yaml",
		Long:  initLong,
		Example: `  podium init --list                # the built-in labs
  podium init                       # a commented lab.yaml in this folder
  podium init k8s-basic             # a copy of k8s-basic in this folder
  podium init k8s-basic class-7     # ... in the folder class-7`,
		Args: args(0, 2, "a name and a folder"),
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) == 0 {
				return labs.Names(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(_ *cobra.Command, given []string) error {
			if f.list {
				return a.listLabs(f.output)
			}
			name, dir := "", "."
			if len(given) > 0 {
				name = given[0]
			}
			if len(given) > 1 {
				dir = given[1]
			}
			return a.initLab(name, dir)
		},
	}
	c.Flags().BoolVarP(&f.list, "list", "l", false, "list the built-in labs")
	a.addOutput(c, &f.output)
	return c
}

// listLabs shows the built-in labs with the first words of their README.
func (a *app) listLabs(o outputFlag) error {
	type entry struct {
		Name  string `json:"name"`
		About string `json:"about"`
	}
	var entries []entry
	for _, name := range labs.Names() {
		entries = append(entries, entry{name, aboutLab(name)})
	}
	if o.json() {
		return a.printJSON(entries)
	}
	t := report.Table{Head: []string{"NAME", "WHAT IT IS"}, Width: a.screen.width}
	for _, e := range entries {
		t.Row(e.Name, e.About)
	}
	t.Write(a.stdout)
	return nil
}

// aboutLab is the first paragraph's first sentence of a lab's README, or else of the comment atop its lab.yaml.
func aboutLab(name string) string {
	for _, file := range []string{"README.md", lab.FileName} {
		text, err := fs.ReadFile(labs.FS(), name+"/"+file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if file == lab.FileName {
				line = strings.TrimSpace(strings.TrimPrefix(line, "#"))
			} else if strings.HasPrefix(line, "#") {
				continue
			}
			if line != "" {
				sentence, _, _ := strings.Cut(line, ". ")
				return strings.TrimSuffix(sentence, ".")
			}
		}
	}
	return ""
}

func (a *app) initLab(name, dir string) error {
	files, err := startFiles(name, dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if _, err := os.Lstat(f.path); err == nil {
			return fail(exitUsage, "%s exists already: nothing was written", f.path).hinted("name another folder: podium init %s FOLDER", orDots(name))
		}
	}
	if isHome(dir) {
		a.warn("warning: this is your home folder: in every folder below it without a lab, podium takes this one. To keep it apart: podium init %s FOLDER", orDots(name))
	}
	for _, f := range files {
		if err := writeNew(f.path, f.text); err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "wrote %s\n", f.path)
	}
	if err := a.ignorePodium(dir); err != nil {
		return err
	}
	where := ""
	if dir != "." {
		where = " " + shellWord(dir)
	}
	fmt.Fprintf(a.stdout, "next: podium validate%s, then podium up%s (to rehearse without virtual machines: --provider sim)\n", where, where)
	return nil
}

// isHome reports whether the folder is the user's own.
func isHome(dir string) bool {
	home, err := os.UserHomeDir()
	if err != nil {
		return false
	}
	one, err := os.Stat(dir)
	if err != nil {
		return false
	}
	two, err := os.Stat(home)
	return err == nil && os.SameFile(one, two)
}

// ignorePodium keeps .podium, with its keys and state, out of git. A .gitignore that exists is the user's: .podium has one
// of its own besides.
func (a *app) ignorePodium(dir string) error {
	path := filepath.Join(dir, ".gitignore")
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	if err := writeNew(path, []byte("/"+state.DirName+"/\n")); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "wrote %s\n", path)
	return nil
}

func orDots(name string) string {
	if name == "" {
		return "NAME"
	}
	return name
}

type startFile struct {
	path string
	text []byte
}

// startFiles lists what init writes.
func startFiles(name, dir string) ([]startFile, error) {
	if name == "" {
		schema, err := lab.Schema()
		return []startFile{
			{filepath.Join(dir, lab.FileName), fmt.Appendf(nil, startingLab, labName(dir))},
			{filepath.Join(dir, schemaName), schema},
		}, err
	}
	var files []startFile
	err := fs.WalkDir(labs.FS(), name, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(labs.FS(), path)
		files = append(files, startFile{filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(path, name+"/"))), text})
		return err
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || err == nil && len(files) == 0 {
		unknown := usage("no built-in lab is called %q: there are %s", name, strings.Join(labs.Names(), ", "))
		if near := lab.Nearest(name, labs.Names(), len(name)/3+1); near != "" {
			return nil, unknown.hinted("did you mean: podium init %s", near)
		}
		return nil, unknown.hinted("for a commented lab.yaml to start from, leave the name out: podium init")
	}
	return files, err
}

// labName makes a lab's name of the folder's: letters, digits and hyphens.
func labName(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "my-lab"
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == ' ', r == '_', r == '.':
			return '-'
		}
		return -1
	}, filepath.Base(abs))
	name = strings.Trim(name, "-")
	if name == "" || len(name) > 40 {
		return "my-lab"
	}
	return name
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fail(exitFailed, "cannot make the folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fail(exitFailed, "cannot write: %w", err)
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
