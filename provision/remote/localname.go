package remote

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode"
)

// badName says why a name that a node gave cannot be one of a file on this computer; empty: it can.
func badName(name, system string) string {
	switch {
	case name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00"):
		return "is not a name"
	case system != "windows":
		return ""
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || strings.ContainsRune(`<>:"|?*\`, r) }):
		return `has a character that Windows does not take: < > : " | ? * \ or a control character`
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
		return "ends in a dot or a blank, which Windows drops"
	case isDevice(name):
		return "is the name of a device on Windows"
	}
	return ""
}

// isDevice tells whether Windows takes a name for a device's. It looks at what stands before the first dot.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(strings.ToLower(name), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "con", "prn", "aux", "nul", "conin$", "conout$":
		return true
	}
	port, ok := strings.CutPrefix(base, "com")
	if !ok {
		port, ok = strings.CutPrefix(base, "lpt")
	}
	return ok && slices.Contains([]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³"}, port)
}

// foldsCase reports whether a system takes README and readme for one file, as Windows and macOS do by default.
func foldsCase(system string) bool { return system == "windows" || system == "darwin" }

// checkNames refuses a tree whose names this computer cannot hold, before anything of it is written.
func (t *tree) checkNames(system string) error {
	first := map[string]string{}
	for _, list := range [][]entry{t.folders, t.files, t.links} {
		for _, e := range list {
			if e.rel == "." {
				continue
			}
			if reason := badName(e.rel[strings.LastIndexByte(e.rel, '/')+1:], system); reason != "" {
				return fmt.Errorf("%q %s: rename it on the node, or leave it out by copying single files", e.rel, reason)
			}
			if !foldsCase(system) {
				continue
			}
			folded := strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, e.rel)
			if other, twice := first[folded]; twice {
				return fmt.Errorf("%q and %q would be one file on this computer, which does not tell capitals from small letters: rename one on the node",
					min(other, e.rel), max(other, e.rel))
			}
			first[folded] = e.rel
		}
	}
	return nil
}

// checkName is the same for a single file.
func checkName(local string) error {
	name := filepath.Base(local)
	if reason := badName(name, runtime.GOOS); reason != "" {
		return fmt.Errorf("the name %q %s: give the copy another name", name, reason)
	}
	return nil
}
