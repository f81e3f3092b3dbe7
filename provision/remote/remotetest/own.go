package remotetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// own gives the handler of a command that remote.Client runs on a node for its own ends: sums of files, and the script
// that installs a file as root. nil for any other command.
func (s *Server) own(e *Exec) Handler {
	args := words(e.Command)
	if len(args) > 3 && args[0] == "sudo" && args[1] == "-n" && args[2] == "--" {
		args = args[3:]
	}
	switch {
	case len(args) == 3 && args[0] == "sha256sum" && args[1] == "--":
		return func(context.Context, *Exec) int { return s.sum(e, args[2]) }
	case len(args) == 9 && args[0] == "sh" && args[3] == "podium-install":
		return func(context.Context, *Exec) int { return s.install(e, args[4:]) }
	}
	return nil
}

// words splits a command line of plain words; nil if it is more than that.
func words(line string) []string {
	file, err := syntax.NewParser().Parse(strings.NewReader(line), "")
	if err != nil || len(file.Stmts) != 1 {
		return nil
	}
	call, ok := file.Stmts[0].Cmd.(*syntax.CallExpr)
	if !ok {
		return nil
	}
	args, err := expand.Fields(&expand.Config{}, call.Args...)
	if err != nil {
		return nil
	}
	return args
}

func (s *Server) local(name string) string {
	return filepath.Join(s.root, filepath.FromSlash(path.Clean("/"+name)))
}

func (s *Server) sum(e *Exec, name string) int {
	data, err := os.ReadFile(s.local(name))
	if err != nil {
		fmt.Fprintf(e.Stderr, "sha256sum: %s: No such file or directory\n", name)
		return 1
	}
	sum := sha256.Sum256(data)
	fmt.Fprintf(e.Stdout, "%s  %s\n", hex.EncodeToString(sum[:]), name)
	return 0
}

// install does what the script does, without the owner.
func (s *Server) install(e *Exec, args []string) int {
	upload, place, mode, want := args[0], args[1], args[3], args[4]
	data, err := os.ReadFile(s.local(upload))
	bits, parseErr := strconv.ParseUint(mode, 8, 32)
	if err != nil || parseErr != nil {
		fmt.Fprintf(e.Stderr, "install: cannot stat '%s'\n", upload)
		return 1
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != want {
		return 66
	}
	if info, err := os.Lstat(s.local(place)); err == nil && info.IsDir() {
		fmt.Fprintf(e.Stderr, "%s: there is a folder by this name\n", place)
		return 1
	}
	_ = os.Remove(s.local(place))
	if err := os.WriteFile(s.local(place), data, fs.FileMode(bits)); err != nil {
		fmt.Fprintf(e.Stderr, "install: cannot create regular file '%s': No such file or directory\n", place)
		return 1
	}
	if err := os.Chmod(s.local(place), fs.FileMode(bits)); err != nil {
		return 1
	}
	return 0
}
