package sim_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestNodesCannotTouchTheHost reads the code of everything that runs for a node: it uses nothing by which files,
// processes, accounts or the network of the computer could be reached.
func TestNodesCannotTouchTheHost(t *testing.T) {
	forbidden := []string{
		"os/exec", "os/user", "syscall", "net/http", "path/filepath", "plugin", "unsafe", "golang.org/x/sys", "io/ioutil",
		"mvdan.cc/sh/v3/interp", "mvdan.cc/sh/v3/shell",
	}
	harmless := map[string][]string{ // of these packages only constants, types and functions on text
		"os":  strings.Fields("O_RDONLY O_WRONLY O_RDWR O_CREATE O_EXCL O_TRUNC O_APPEND FileMode FileInfo PathError IsNotExist IsExist ErrNotExist ErrPermission ErrExist"),
		"net": strings.Fields("JoinHostPort SplitHostPort ParseIP IP"),
	}
	checked := 0
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || filepath.Dir(file) == "." {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		checked++
		for _, spec := range f.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); slices.Contains(forbidden, path) {
				t.Errorf("%s imports %s", file, path)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok || x.Obj != nil { // a variable
				return true
			}
			if allowed, limited := harmless[x.Name]; limited && !slices.Contains(allowed, sel.Sel.Name) {
				t.Errorf("%s uses %s.%s", file, x.Name, sel.Sel.Name)
			}
			return true
		})
		return nil
	})
	if err != nil || checked < 50 {
		t.Fatalf("checked %d files: %v", checked, err)
	}
}
