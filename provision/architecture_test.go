package provision_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the first part of every import within podium.
const module = "podium/"

// flow is the way through the house: which package may import which of the others. It follows from what each
// package is for: data flows from lab by way of plan to engine, and report stands at the end. cmd and the programs of
// scripts/ may import anything, and so may tests.
func flow() map[string][]string {
	return map[string][]string{
		"provision/folder":            {}, // a leaf: how files that others may have made are opened
		"provision/lab":               {"provision/catalogue", "provision/version", "provision/folder"},
		"provision/step":              {"provision/lab", "provision/catalogue", "provision/version", "templates"},
		"provision/version":           {},
		"provision/catalogue":         {"provision/version"},
		"provision/catalogue/audit":   {"provision/catalogue", "provision/version", "provision/catalogue/openpgp"},
		"provision/catalogue/openpgp": {},
		"provision/plan":              {"provision/lab", "provision/step"},
		"provision/remote":            {"provision/folder"},
		"provision/machine":           {"provision/lab", "provision/remote"},
		"provision/machine/*": { // and what lies below the provider itself; the simulator has the catalogue's hosts and keys
			"provision/machine", "provision/lab", "provision/remote", "provision/event", "provision/catalogue", "provision/folder", "templates",
		},
		"provision/engine": {
			"provision/event", "provision/folder", "provision/lab", "provision/machine", "provision/plan", "provision/remote", "provision/state", "provision/step",
			"provision/version", "scripts",
		},
		"provision/wording":           {}, // a leaf: what is said to those who learn
		"provision/exercise":          {"provision/exercise/check", "provision/folder", "provision/lab", "provision/version", "provision/wording"},
		"provision/exercise/check":    {"provision/remote", "provision/wording"}, // of remote, how words are quoted
		"provision/exercise/examine":  {"provision/exercise", "provision/exercise/check", "provision/lab", "provision/remote", "provision/wording"},
		"provision/exercise/ledger":   {"provision/folder"},
		"provision/doctor":            {"provision/lab", "provision/machine/vagrant", "provision/version"},
		"provision/event":             {},
		"provision/state":             {"provision/remote", "provision/folder"},
		"provision/report":            {"provision/engine", "provision/event", "provision/lab", "provision/plan", "provision/state", "provision/catalogue/audit"},
		"provision/remote/remotetest": {"provision/remote"},
		"templates":                   {"provision/lab"},
		"scripts":                     {},
		"labs":                        {},
	}
}

// mayImport reports whether the package at from may import the one at to, both paths below the module.
func mayImport(from, to string) bool {
	if strings.HasPrefix(from, "cmd/") || strings.HasPrefix(from, "scripts/") {
		return true
	}
	if rest, ok := strings.CutPrefix(from, "provision/machine/"); ok {
		provider, _, _ := strings.Cut(rest, "/")
		return slices.Contains(flow()["provision/machine/*"], to) || strings.HasPrefix(to+"/", "provision/machine/"+provider+"/")
	}
	return slices.Contains(flow()[from], to)
}

// sources calls visit for every Go file of the house, tests too where tests is set, on whatever system it is built.
func sources(t *testing.T, tests bool, mode parser.Mode, visit func(pkg, file string, f *ast.File)) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") && !tests {
			return nil
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, mode)
		if err != nil {
			return err
		}
		files++
		visit(path.Dir(relative), relative, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Fatalf("found %d files: is %s the house?", files, root)
	}
}

// imports lists what a file imports.
func imports(t *testing.T, f *ast.File) []string {
	t.Helper()
	var list []string
	for _, spec := range f.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, name)
	}
	return list
}

func TestImportsFollowTheFlow(t *testing.T) {
	sources(t, false, parser.ImportsOnly, func(pkg, file string, f *ast.File) {
		for _, name := range imports(t, f) {
			if to, ours := strings.CutPrefix(name, module); ours && !mayImport(pkg, to) {
				t.Errorf("%s imports %s, which lies off the way through the house: see flow in this test", file, name)
			}
		}
	})
}

func TestMayImport(t *testing.T) {
	for _, edge := range [][2]string{
		{"provision/lab", "provision/plan"}, {"provision/plan", "provision/engine"}, {"provision/remote", "provision/lab"},
		{"provision/event", "provision/state"}, {"provision/machine/sim", "provision/engine"}, {"provision/machine/sim", "provision/machine/incus"},
		{"provision/machine/sim/shell", "provision/machine/simulator"}, {"provision/engine", "provision/machine/sim"},
		{"provision/engine", "provision/report"}, {"provision/new", "provision/lab"}, {"provision/engine", "provision/remote/remotetest"},
		{"templates", "provision/step"}, {"labs", "provision/lab"}, {"provision/machine", "provision/machine/sim"},
	} {
		if mayImport(edge[0], edge[1]) {
			t.Errorf("%s may import %s", edge[0], edge[1])
		}
	}
	for _, edge := range [][2]string{
		{"cmd/podium", "provision/machine/sim"}, {"provision/machine/sim", "provision/machine/sim/shell"}, {"provision/machine/sim/shell", "provision/machine/sim/fs"},
		{"provision/machine/vagrant", "templates"}, {"provision/engine", "provision/plan"},
	} {
		if !mayImport(edge[0], edge[1]) {
			t.Errorf("%s may not import %s", edge[0], edge[1])
		}
	}
}

// TestOnlyRemoteKnowsSSH keeps SSH and SFTP in one package; the simulator is the other end of the line.
func TestOnlyRemoteKnowsSSH(t *testing.T) {
	sources(t, false, parser.ImportsOnly, func(pkg, file string, f *ast.File) {
		if strings.HasPrefix(pkg+"/", "provision/remote/") || strings.HasPrefix(pkg+"/", "provision/machine/sim/") {
			return
		}
		for _, name := range imports(t, f) {
			if strings.HasPrefix(name, "golang.org/x/crypto/ssh") || strings.HasPrefix(name, "github.com/pkg/sftp") {
				t.Errorf("%s imports %s: reach nodes through provision/remote", file, name)
			}
		}
	})
}

// TestNothingRunsAtStart looks for init functions: what a package does it does when it is called.
func TestNothingRunsAtStart(t *testing.T) {
	sources(t, true, parser.SkipObjectResolution, func(_, file string, f *ast.File) {
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function", file)
			}
		}
	})
}

func TestPackagesHaveNames(t *testing.T) {
	sources(t, true, parser.PackageClauseOnly, func(pkg, file string, f *ast.File) {
		for _, name := range []string{path.Base(pkg), strings.TrimSuffix(f.Name.Name, "_test")} {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "misc"}, name) {
				t.Errorf("%s: %s says nothing: name the package after what it does", file, name)
			}
		}
	})
}

// TestNothingElseStandsAtTheTop keeps the repository's root in order.
func TestNothingElseStandsAtTheTop(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	folders := []string{"cmd", "provision", "templates", "scripts", "labs"}
	files := []string{"go.mod", "go.sum", "README.md", "LICENSE"}
	built := []string{"podium", "podium.exe"} // go build ./cmd/podium; ignored by git
	for _, e := range entries {
		switch name := e.Name(); {
		case strings.HasPrefix(name, "."), e.IsDir() && slices.Contains(folders, name):
		case !e.IsDir() && (slices.Contains(files, name) || slices.Contains(built, name)):
		default:
			t.Errorf("%s does not belong at the top, where %v and %v stand", name, folders, files)
		}
	}
}
